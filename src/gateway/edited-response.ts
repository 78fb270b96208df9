/** An upstream's response with other headers. */
import type { HeaderEdits } from '../config/snapshot.ts'
import type { LocalReply } from '../proxy-wasm/index.ts'
import { editHeaders, editLines } from './header-edits.ts'

/** @param edits - applied in order */
export function editedAnswer(
  answer: Response | LocalReply,
  edits: readonly HeaderEdits[],
): Response | LocalReply {
  if (edits.length === 0) return answer
  if (!(answer instanceof Response)) {
    let { headers } = answer
    for (const one of edits) headers = editLines(headers, one)
    return { ...answer, headers }
  }
  const { status } = answer
  // what Fetch builds no response of goes on as it is
  if (status !== 101 && (status < 200 || status > 599)) return answer
  const edited = status === 101 ? upgraded(answer) : new Response(answer.body, answer)
  for (const one of edits) editHeaders(edited.headers, one)
  return edited
}

/** The other end of the connection is a member of Workers' responses. */
function upgraded(answer: Response): Response {
  const { webSocket } = answer as unknown as { readonly webSocket: unknown }
  const init = { status: 101, headers: answer.headers, webSocket }
  return new Response(null, init as ResponseInit)
}
