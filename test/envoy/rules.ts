/**
 * Which differences an id of docs/HOST_DIFFERENCES.md explains: where they show, and between what. An
 * id without rules changes what becomes of the whole stream, and explains all of it.
 */
import type { Difference } from './compare.ts'

interface Rule {
  readonly at: RegExp
  readonly envoy?: RegExp
  readonly postern?: RegExp
}

const BAD_ARGUMENT = /^\{"status":2\}$/
const NOT_FOUND = /^\{"status":1[,}]/
const OK = /^\{"status":0[,}]/
/** What a map or an attribute looks like that is not there: `NOT_FOUND`, `BAD_ARGUMENT` or no pairs. */
const GONE = /^\{"status":[12][,}]|"pairs":\[\]|"value":\[\]|^\{"status":0,"value":"(?:\\u0000)+"/

/** Attributes of the connection, the upstream and xDS, which Fetch does not show. */
const PLATFORM =
  /\.get_property\((?:connection[._]|destination\.|upstream\.|xds\.|metadata|[a-z_]+_metadata)/

export const RULES: Readonly<Record<string, readonly Rule[]>> = {
  trailers: [
    { at: /trailers/ },
    { at: /\.(?:request|response)_body$/, envoy: /not called/ },
    { at: /\.http_call_response\.arguments$/, envoy: /"num_trailers":1/ },
    { at: /\.get_pairs\(call\)$/, postern: /content-length/ },
  ],
  'header-order': [{ at: /\.get_pairs/ }],
  'hop-by-hop': [
    { at: /_headers\.arguments$/, envoy: /"num_headers"/ },
    { at: /^upstream \d+\.header (?:trailer|upgrade)$/ },
  ],
  'header-bytes': [{ at: /header x-latin1$/ }],
  'host-to-upstream': [{ at: /^upstream \d+\.authority$/ }],
  'platform-attributes': [{ at: PLATFORM }],
  'early-attributes': [
    { at: /\.get_property\((?:response|upstream)\./, envoy: NOT_FOUND, postern: OK },
    { at: /\.get_property\((?:response|request)\.(?:total_)?size\)/, envoy: OK, postern: OK },
  ],
  node: [{ at: /\.get_property\((?:xds\.)?node(?:\.id)?\)$/ }],
  'old-attributes': [
    {
      at: /\.get_property\((?:cluster_name|route_name|listener_direction|node)/,
      envoy: NOT_FOUND,
      postern: OK,
    },
  ],
  'late-request-headers': [
    { at: /\.(?:get_header|get_pairs|map_size)\(.*\brequest\)$/, envoy: GONE, postern: OK },
    { at: /\.get_property\(request\./, envoy: GONE, postern: OK },
    { at: /\.get_property\(request\.total_size\)$/ },
  ],
  'late-response-headers': [
    { at: /\.(?:get_header|get_pairs|map_size)\(.*\bresponse\)$/, envoy: GONE, postern: OK },
    { at: /\.get_property\(response\./, envoy: GONE, postern: OK },
  ],
  'absent-map': [
    { at: /\.get_header(?:\(|$)/, envoy: BAD_ARGUMENT, postern: /^\{"status":1\}|"value":null/ },
  ],
  'lost-edit': [
    { at: /\.(?:set|add|remove)_header\(/, envoy: BAD_ARGUMENT, postern: OK },
    { at: /\.set_body(?:\(|$)/, envoy: BAD_ARGUMENT, postern: OK },
    { at: /\.set_property\(/, envoy: NOT_FOUND, postern: OK },
  ],
  'callout-map-size': [{ at: /\.map_size\(call/, envoy: BAD_ARGUMENT, postern: OK }],
  'plugin-configuration': [
    { at: /\.(?:get_body|body_status|set_body)\(plugin_configuration\)$/ },
    { at: /\.get_configuration$/ },
    { at: /\.raw\(proxy_get_buffer_bytes\)$/ },
  ],
  'stale-call-data': [{ at: /\.(?:get_body|body_status)\(call_data\)$/, envoy: OK }],
  'create-sees-request': [
    { at: /\.create\..*\brequest\)$/, envoy: GONE, postern: OK },
    { at: /\.create\.get_property\(request\./, envoy: NOT_FOUND, postern: OK },
    { at: /^upstream \d+\.header x-/ },
  ],
  'middle-of-a-body': [
    { at: /_body\.(?:set_body|body_status|get_body)$/ },
    { at: /^(?:upstream|reply) \d+\.(?:body|header content-length)$/ },
  ],
  'property-with-segments': [{ at: /\.get_property\(.*\..*\)$/, envoy: NOT_FOUND, postern: OK }],
  'whole-namespace': [{ at: /\.get_property\(/, envoy: /^\{"status":3/, postern: NOT_FOUND }],
  'edit-behind-resume': [
    { at: /^upstream \d+\.header x-/ },
    { at: /\.http_call_response\.get_header\(/, envoy: BAD_ARGUMENT, postern: OK },
  ],
  'callout-error-text': [
    { at: /\.http_call_response\.(?:arguments|get_pairs\(call\)|get_body\(call\)|body_status)/ },
  ],
  'upstream-timing': [{ at: /^upstream count$/ }],
  'metric-ids': [{ at: /\.metric_define\(/, envoy: OK, postern: OK }],
  'grpc-tokens': [{ at: /\.raw\(proxy_grpc_/, envoy: /"status":2/, postern: /"status":1/ }],
  'expr-functions': [{ at: /\.foreign\(expr_/, envoy: BAD_ARGUMENT, postern: NOT_FOUND }],
  'reply-pseudo-headers': [{ at: /\.response_headers\.(?:arguments|get_pairs)/ }],
}

/** @returns whether the id explains the difference */
export function explains(id: string, { at, envoy, postern }: Difference): boolean {
  const rules = RULES[id]
  if (rules === undefined) return true
  return rules.some(
    (rule) =>
      rule.at.test(at) &&
      (rule.envoy?.test(envoy) ?? true) &&
      (rule.postern?.test(postern) ?? true),
  )
}

/** Whether it explains some differences only. */
export function hasRules(id: string): boolean {
  return id in RULES
}
