-- Requests for wrk, prepared beforehand: every one has event ids that nobody has seen.
-- Arguments: a file that returns a list of requests, each a list of pieces between which a
-- counter of twelve hex digits is put. One piece alone is sent as it is.

local requests, next_one, counter = {}, 0, 0
local format, concat = string.format, table.concat

function init(arguments)
  requests = dofile(arguments[1])
end

function request()
  next_one = next_one % #requests + 1
  local pieces = requests[next_one]
  if #pieces == 1 then
    return pieces[1]
  end
  counter = counter + 1
  return concat(pieces, format("%012x", counter))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "max": %.6f,'
      .. ' "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6,
    latency:percentile(99) / 1e6, latency.max / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
