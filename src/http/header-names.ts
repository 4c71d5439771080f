/**
 * Names of request headers of which no string is made for each request, because one is at hand: V8 also compares it at
 * once with those that node's own code looks for. Unlisted ones are as good, but slower.
 */

/** As HTTP/1.1 clients and reverse proxies write them. */
const USUAL = [
  // RFC 9110 and others of the IETF.
  ...['Accept', 'Accept-Charset', 'Accept-Encoding', 'Accept-Language', 'Authorization', 'Cache-Control', 'Connection'],
  ...['Content-Encoding', 'Content-Length', 'Content-Type', 'Cookie', 'Date', 'Forwarded', 'Host', 'Idempotency-Key'],
  ...['If-Match', 'If-Modified-Since', 'If-None-Match', 'If-Range', 'If-Unmodified-Since', 'Keep-Alive', 'Origin'],
  ...['Pragma', 'Priority', 'Range', 'Referer', 'TE', 'User-Agent', 'Via'],
  // Browsers.
  ...['Access-Control-Request-Headers', 'Access-Control-Request-Method', 'DNT', 'Save-Data', 'Sec-CH-UA'],
  ...['Sec-CH-UA-Mobile', 'Sec-CH-UA-Platform', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site'],
  ...['Sec-Fetch-User', 'Sec-GPC', 'Upgrade-Insecure-Requests', 'X-Requested-With'],
  // Reverse proxies and content delivery networks.
  ...['CDN-Loop', 'CF-Connecting-IP', 'CF-IPCountry', 'CF-Ray', 'CF-Visitor', 'True-Client-IP', 'X-Amz-Cf-Id'],
  ...['X-Amzn-Trace-Id', 'X-Client-IP', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Port'],
  ...['X-Forwarded-Proto', 'X-Forwarded-Scheme', 'X-Forwarded-Server', 'X-Original-URI', 'X-Real-IP', 'X-Scheme'],
  // Tracing and APIs.
  ...['Baggage', 'Traceparent', 'Tracestate', 'X-API-Key', 'X-B3-Sampled', 'X-B3-SpanId', 'X-B3-TraceId'],
  ...['X-Correlation-ID', 'X-CSRF-Token', 'X-Request-ID'],
];

/** In lower case as well: so do clients that know HTTP/2, and gateways from it. */
export const HEADER_NAMES: readonly string[] = [...new Set([...USUAL, ...USUAL.map((name) => name.toLowerCase())])];
