/** What a process has cost so far, from /proc: whoever is measured, it is read the same way. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU seconds of all threads of a process. /proc/<pid>/stat counts them together but in ticks of 10 ms;
 * this is the same in nanoseconds.
 */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((thread) => {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
    return Number(onCpu)
  })
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9
}

export function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Number(kilobytes ?? 0) / 1024
}
