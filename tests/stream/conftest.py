"""A cluster of three real nodes, for those who ask for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import servers


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    with servers.cluster(folder) as url:
        yield url
