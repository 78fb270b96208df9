/** Whoever takes reports in will never take this batch: it is given up, and the next one begins. */
export class ReportRefused extends Error {
  override readonly name = 'ReportRefused'
}
