-- Requests as a browser sends them: eight headers, a path, query, cookie and request id that never repeat.
-- The site is bench.local unless a word after "--" names another.
-- Every answer is checked; wrong ones are counted and printed in one line of JSON at the end.
local expected = "ok-" .. string.rep("0123456789", 10) .. "\n"
local threads = {}
local host = "bench.local"
local count = 0
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(words)
  host = words[1] or host
end

function request()
  count = count + 1
  return string.format(
    "GET /api/items/%d?q=%d HTTP/1.1\r\nHost: %s\r\n" ..
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" ..
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" ..
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" ..
    "Cookie: session=0123456789abcdef; n=%d\r\nX-Request-Id: 8c1f-%d\r\nCache-Control: no-cache\r\n\r\n",
    count % 5000, count, host, count, count)
end

function response(status, headers, body)
  if status ~= 200 or body ~= expected then wrong = wrong + 1 end
end

function done(summary, latency, requests)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("wrong") end
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "wrong": %d, "errors": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration / 1e6, bad, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
