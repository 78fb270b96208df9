/**
 * Brings a snapshot that an older Postern wrote to the shape of this one, step by step, so that a deploy
 * does not need an apply behind it. A step changes members it knows by name and leaves the rest as it is:
 * whether the result is a snapshot is for `snapshot-schema.ts` to say.
 */

type Json = Readonly<Record<string, unknown>>

/** By the schema they start from. Never changed once released; the next number gets the next step. */
const STEPS: Readonly<Record<number, (snapshot: Json) => Json>> = { 1: backendsAndGateways }

/**
 * @param snapshot JSON that says `schema: from`
 * @returns the same in the shape of `to`; undefined when there is no way from the one to the other
 */
export function migrateSnapshot(snapshot: Json, from: number, to: number): Json | undefined {
  let migrated = snapshot
  for (let schema = from; schema < to; schema += 1) {
    const step = STEPS[schema]
    if (step === undefined) return undefined
    migrated = { ...step(migrated), schema: schema + 1 }
  }
  return migrated
}

/**
 * 1 → 2: a rule has backends by weight in place of one upstream; routes belong to Gateways, of which
 * there was one; a plugin carries several last good versions.
 */
function backendsAndGateways(snapshot: Json): Json {
  const gateway = { name: 'default', namespace: 'default' }
  const listeners = [{ name: 'default' }]
  return {
    ...snapshot,
    gateways: [{ ...gateway, listeners, plugins: snapshot['gatewayPlugins'] }],
    routes: eachOf(snapshot['routes'], (route) => ({
      ...route,
      gateway: `${gateway.namespace}/${gateway.name}`,
      rules: eachOf(route['rules'], ({ upstream, ...rule }) => ({
        ...rule,
        backends: [{ upstream, weight: 1 }],
      })),
    })),
    plugins: isObject(snapshot['plugins'])
      ? Object.fromEntries(
          Object.entries(snapshot['plugins']).map(([id, plugin]) => [id, withLastGoods(plugin)]),
        )
      : snapshot['plugins'],
  }
}

function withLastGoods(plugin: unknown): unknown {
  if (!isObject(plugin) || plugin['lastGood'] === undefined) return plugin
  return { ...plugin, lastGood: [plugin['lastGood']] }
}

/** What is no list, or no object in it, is left to be refused. */
function eachOf(list: unknown, change: (one: Json) => Json): unknown {
  return Array.isArray(list)
    ? list.map((one: unknown) => (isObject(one) ? change(one) : one))
    : list
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
