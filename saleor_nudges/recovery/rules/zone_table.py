"""Which parts of a country live by which clock, for countries that have several.

No library we found knows zones by region: CLDR and the time zone database stop at the country. So
they are written down here, from the laws the database's own comments cite. A part is a region as
Google's address data names it (its ISO 3166-2 code where it has one), then after a colon the
beginnings of the postal codes for which the zone holds, if it does not hold in the whole region.
Without a region the beginning alone decides. `*` is every region of the country that is not named.

Where one of a region's zones is small its postal codes are listed generously: two zones too many
cost an hour of sending, one too few wakes somebody up. A country that is not here has one clock, or
nothing in an address tells which.
"""

from collections.abc import Mapping
from typing import Final

TABLE: Final[Mapping[str, Mapping[str, str]]] = {
    "US": {
        "America/New_York": (
            "CT DC DE GA MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV"
            " FL:320,321,322,323,324,326,327,328,329,33,34 KY:40,41,425,426,427"
            " IN:460,461,462,465,466,467,468,469,47 TN:373,374,376,377,378,379"
        ),
        "America/Chicago": (
            "AL AR IA IL KS LA MN MO MS ND NE OK SD WI FL:324,325 KY:401,42"
            " IN:463,464,465,469,475,476,477,479 MI:498,499 TN:370,371,372,373,374,377,38"
            " TX:733,75,76,77,78,790,791,792,793,794,795,796,797,798"
        ),
        "America/Denver": (
            "CO MT NM UT WY AZ:860,865 ID:832,833,834,835,836,837 KS:677,678,679"
            " ND:585,586,587,588 NE:690,691,692,693 NV:898 OR:979 SD:575,576,577 TX:798,799,885"
        ),
        "America/Phoenix": "AZ",
        "America/Los_Angeles": "CA NV OR WA ID:835,838",
        "America/Anchorage": "AK",
        "America/Adak": "AK:995",
        "Pacific/Honolulu": "HI",
        "America/Puerto_Rico": "PR VI",
        "Pacific/Guam": "GU MP",
        "Pacific/Pago_Pago": "AS",
        "Pacific/Palau": "PW",
        "Pacific/Chuuk": "FM",
        "Pacific/Pohnpei": "FM",
        "Pacific/Majuro": "MH",
    },
    "CA": {
        "America/Toronto": "ON QC",
        "America/Atikokan": "ON:P0T",
        "America/Winnipeg": "MB ON:P0T,P0V,P0W,P0X,P0Y,P8,P9",
        "America/Blanc-Sablon": "QC:G0G",
        "America/Halifax": "NS PE QC:G0C,G4T",
        "America/Moncton": "NB",
        "America/St_Johns": "NL",
        "America/Goose_Bay": "NL:A0K,A0P,A0R,A2V",
        "America/Regina": "SK",
        "America/Edmonton": "AB NT SK:S9V BC:V0A,V0B,V1A,V1C",
        "America/Vancouver": "BC",
        "America/Creston": "BC:V0B",
        "America/Dawson_Creek": "BC:V0C,V1G,V1J",
        "America/Fort_Nelson": "BC:V0C",
        "America/Whitehorse": "YT",
        "America/Iqaluit": "NU",
        "America/Rankin_Inlet": "NU",
        "America/Cambridge_Bay": "NU",
    },
    "AU": {
        "Australia/Sydney": "ACT JBT NSW",
        "Australia/Broken_Hill": "NSW:2880",
        "Australia/Lord_Howe": "NSW:2898",
        "Australia/Melbourne": "VIC",
        "Australia/Brisbane": "QLD",
        "Australia/Adelaide": "SA",
        "Australia/Darwin": "NT",
        "Australia/Hobart": "TAS",
        "Australia/Perth": "WA",
        "Australia/Eucla": "WA:6443",
    },
    "BR": {
        "America/Sao_Paulo": "*",
        "America/Manaus": "AM",
        "America/Rio_Branco": "AC AM:696,698",
        "America/Boa_Vista": "RR",
        "America/Porto_Velho": "RO",
        "America/Cuiaba": "MT",
        "America/Campo_Grande": "MS",
        "America/Recife": "PE",
        "America/Noronha": "PE:53990",
        "America/Belem": "AP PA",
        "America/Fortaleza": "CE MA PB PI RN",
        "America/Maceio": "AL SE",
        "America/Bahia": "BA",
        "America/Araguaina": "TO",
    },
    "MX": {
        "America/Mexico_City": "*",
        "America/Merida": "CAM YUC",
        "America/Monterrey": "COA DUR NLE TAM",
        "America/Matamoros": "COA NLE TAM",
        "America/Cancun": "ROO",
        "America/Chihuahua": "CHH",
        "America/Ojinaga": "CHH",
        "America/Ciudad_Juarez": "CHH",
        "America/Hermosillo": "SON",
        "America/Mazatlan": "BCS NAY SIN",
        "America/Bahia_Banderas": "NAY:637",
        "America/Tijuana": "BCN",
    },
    "RU": {
        "Europe/Moscow": "*",
        "Europe/Kaliningrad": "KGD",
        "Europe/Samara": "SAM UD",
        "Europe/Astrakhan": "AST",
        "Europe/Ulyanovsk": "ULY",
        "Europe/Saratov": "SAR",
        "Asia/Yekaterinburg": "BA CHE KGN KHM ORE PER SVE TYU YAN",
        "Asia/Omsk": "OMS",
        "Asia/Novosibirsk": "NVS",
        "Asia/Barnaul": "AL ALT",
        "Asia/Tomsk": "TOM",
        "Asia/Novokuznetsk": "KEM",
        "Asia/Krasnoyarsk": "KK KYA TY",
        "Asia/Irkutsk": "BU IRK",
        "Asia/Chita": "ZAB",
        "Asia/Yakutsk": "AMU SA",
        "Asia/Vladivostok": "KHA PRI SA YEV",
        "Asia/Srednekolymsk": "SA",
        "Asia/Magadan": "MAG",
        "Asia/Sakhalin": "SAK",
        "Asia/Kamchatka": "KAM",
        "Asia/Anadyr": "CHU",
    },
    "ID": {
        "Asia/Jakarta": "AC BB BE BT JA JB JI JK JT KR LA RI SB SS SU YO",
        "Asia/Pontianak": "KB KT",
        "Asia/Makassar": "BA GO KI KS KU NB NT SA SG SN SR ST",
        "Asia/Jayapura": "MA MU PA PB",
    },
    "CL": {
        "America/Santiago": "* VS",
        "America/Punta_Arenas": "AI MA",
        "Pacific/Easter": "VS:277",
    },
    "CN": {"Asia/Shanghai": "* 65", "Asia/Urumqi": "65"},
    "EC": {"America/Guayaquil": "*", "Pacific/Galapagos": ":20"},
    "ES": {"Europe/Madrid": "*", "Atlantic/Canary": "GC TF", "Africa/Ceuta": "CE ML"},
    "FR": {
        "Europe/Paris": "*",
        "America/Guadeloupe": ":971,977,978",
        "America/Martinique": ":972",
        "America/Cayenne": ":973",
        "America/Miquelon": ":975",
        "Indian/Reunion": ":974",
        "Indian/Mayotte": ":976",
        "Pacific/Tahiti": ":987",
        "Pacific/Noumea": ":988",
    },
    "NZ": {"Pacific/Auckland": "*", "Pacific/Chatham": ":8016"},
    "PT": {
        "Europe/Lisbon": "*",
        "Atlantic/Madeira": ":90,91,92,93,94",
        "Atlantic/Azores": ":95,96,97,98,99",
    },
    "UA": {"Europe/Kyiv": "*", "Europe/Simferopol": "43"},
}

# Where most people live in the other countries with several zones. Where no hour suits all clocks
# of a country this one counts, and by its city people are told why a message waits. In a country
# of the table above it is the first zone.
MAIN: Final[Mapping[str, str]] = {
    "CD": "Africa/Kinshasa",
    "CY": "Asia/Nicosia",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MN": "Asia/Ulaanbaatar",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "UZ": "Asia/Tashkent",
}
