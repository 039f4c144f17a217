-- Replays the requests of DIRECTORY/N on the connections of the N-th thread, over and over (`load.ts` writes them).

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local file = assert(io.open(args[1] .. "/" .. number, "rb"))
  requests = {}
  for request in file:read("*a"):gmatch("(%Z+)%z") do
    requests[#requests + 1] = request
  end
  file:close()
  at, round = 0, 0
  -- wrk asks the first thread for a request to look at, which it does not send.
  looking = number == 0
end

local function filled(text)
  if not text:find("@", 1, true) then
    return text
  end
  local marked = text:gsub("@(%d+)@", function(revision) return revision + round end)
  return (marked:gsub("@n", string.format("%08d", round)))
end

function request()
  if looking then
    looking = false
    return filled(requests[1])
  end
  at = at + 1
  if at > #requests then
    at, round = 1, round + 1
  end
  return filled(requests[at])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"failed":%d,"p50":%.3f,"p95":%.3f,"p99":%.3f}\n',
    summary.requests,
    summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3
  ))
end
