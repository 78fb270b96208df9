/** Kinds an operator may well have in a file, refused by name: kind → what to do. */
export const OUTSIDE_KINDS: Readonly<Record<string, string>> = {
  GatewayClass: 'leave it out; what reads a Gateway is the one class there is',
  GRPCRoute: 'write an HTTPRoute',
  ReferenceGrant: 'leave it out; references across namespaces need no grant here',
  Service: 'write an Upstream with the alias `<name>.<namespace>:<port>`',
  ServiceEntry: 'write an Upstream',
  Backend: 'write an Upstream',
  DestinationRule: 'write what it says of time and of failures into the Upstream',
  BackendTrafficPolicy: 'write what it says of time and of failures into the Upstream',
  VirtualService: 'write an HTTPRoute',
  Ingress: 'write an HTTPRoute',
  Namespace: 'leave it out; to be named in metadata.namespace is enough',
  EnvoyFilter: 'write a WasmPlugin',
  List: 'write its items as documents of their own',
}
