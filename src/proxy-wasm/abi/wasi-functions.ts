/**
 * The WASI table: every function of preview 1 with its signature and what it answers here. Guests
 * import them from `wasi_snapshot_preview1` or, when old, from `wasi_unstable`; hostcalls/wasi.ts has
 * the code.
 */
import { i32, i64, type Param } from './signature.ts'

export type WasiFunctionSupport = 'full' | 'answers'

export interface WasiFunctionRow {
  readonly name: string
  readonly params: readonly Param[]
  readonly result: 'i32' | 'void'
  readonly spec: string
  /** `answers`: there is nothing behind the call, and its errno says so. */
  readonly support: WasiFunctionSupport
  readonly note: string
}

/** The two module names. */
export const WASI_MODULES: readonly string[] = ['wasi_snapshot_preview1', 'wasi_unstable']

const DOCS = 'https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md'

function full(name: string, params: readonly Param[], note: string): WasiFunctionRow {
  return { name, params, result: 'i32', spec: `${DOCS}#${name}`, support: 'full', note }
}

function answers(name: string, params: readonly Param[], note: string): WasiFunctionRow {
  return { ...full(name, params, note), support: 'answers' }
}

const NOSYS = 'NOSYS (52)'
const NOTSUP = 'NOTSUP (58)'
const BADF = 'BADF (8)'
const FOR_OUTPUT = 'success without effect for stdout and stderr, else BADF (8)'
const PATH = i32('path', 'path_size')
const IOVECS = i32('iovecs', 'iovecs_size')

export const WASI_FUNCTIONS: readonly WasiFunctionRow[] = [
  full(
    'fd_write',
    [...i32('fd'), ...IOVECS, ...i32('return_written')],
    'stdout is logged at info, stderr at error',
  ),
  full(
    'fd_pwrite',
    [...i32('fd'), ...IOVECS, ...i64('offset'), ...i32('return_written')],
    'as fd_write',
  ),
  full(
    'clock_time_get',
    [...i32('id'), ...i64('precision'), ...i32('return_time')],
    'realtime and monotonic; others NOTSUP (58)',
  ),
  full('clock_res_get', i32('id', 'return_resolution'), '1 ns for both clocks'),
  full('random_get', i32('buffer', 'buffer_size'), 'up to 64 KiB per call, then INVAL (28)'),
  full('environ_sizes_get', i32('return_count', 'return_size'), "the plugin's own variables"),
  full('environ_get', i32('return_pointers', 'return_buffer'), "the plugin's own variables"),
  full('args_sizes_get', i32('return_count', 'return_size'), 'no arguments'),
  full('args_get', i32('return_pointers', 'return_buffer'), 'no arguments'),
  full('sched_yield', [], 'success'),
  {
    ...full('proc_exit', i32('code'), 'logged; returns to the guest, as in Envoy'),
    result: 'void',
  },
  answers('proc_raise', i32('signal'), NOTSUP),
  answers(
    'poll_oneoff',
    i32('in', 'out', 'subscriptions', 'return_events'),
    'success with no event',
  ),

  answers('fd_read', [...i32('fd'), ...IOVECS, ...i32('return_read')], NOSYS),
  answers('fd_pread', [...i32('fd'), ...IOVECS, ...i64('offset'), ...i32('return_read')], NOSYS),
  answers(
    'fd_seek',
    [...i32('fd'), ...i64('offset'), ...i32('whence', 'return_offset')],
    'success without effect',
  ),
  answers('fd_close', i32('fd'), 'success without effect'),
  answers(
    'fd_fdstat_get',
    i32('fd', 'return_stat'),
    'stdout and stderr may be written; else BADF (8)',
  ),
  answers('fd_fdstat_set_flags', i32('fd', 'flags'), NOSYS),
  answers('fd_fdstat_set_rights', [...i32('fd'), ...i64('base', 'inheriting')], FOR_OUTPUT),
  answers('fd_filestat_get', i32('fd', 'return_stat'), BADF),
  answers('fd_filestat_set_size', [...i32('fd'), ...i64('size')], FOR_OUTPUT),
  answers(
    'fd_filestat_set_times',
    [...i32('fd'), ...i64('atim', 'mtim'), ...i32('flags')],
    FOR_OUTPUT,
  ),
  answers('fd_prestat_get', i32('fd', 'return_prestat'), BADF),
  answers('fd_prestat_dir_name', [...i32('fd'), ...PATH], NOSYS),
  answers('fd_advise', [...i32('fd'), ...i64('offset', 'size'), ...i32('advice')], FOR_OUTPUT),
  answers('fd_allocate', [...i32('fd'), ...i64('offset', 'size')], FOR_OUTPUT),
  answers('fd_datasync', i32('fd'), FOR_OUTPUT),
  answers('fd_sync', i32('fd'), FOR_OUTPUT),
  answers('fd_tell', i32('fd', 'return_offset'), '0 for stdout and stderr, else BADF (8)'),
  answers(
    'fd_readdir',
    [...i32('fd', 'buffer', 'buffer_size'), ...i64('cookie'), ...i32('return_size')],
    'EXIST (20), as the reference host',
  ),
  answers('fd_renumber', i32('fd', 'to'), 'NOTSUP (58) for stdout and stderr, else BADF (8)'),

  answers(
    'path_open',
    [
      ...i32('fd', 'dirflags', 'path', 'path_size', 'oflags'),
      ...i64('base', 'inheriting'),
      ...i32('fdflags', 'return_fd'),
    ],
    'NOENT (44)',
  ),
  answers('path_create_directory', [...i32('fd'), ...PATH], NOTSUP),
  answers('path_filestat_get', [...i32('fd', 'flags'), ...PATH, ...i32('return_stat')], NOTSUP),
  answers(
    'path_filestat_set_times',
    [...i32('fd', 'flags'), ...PATH, ...i64('atim', 'mtim'), ...i32('fst_flags')],
    NOTSUP,
  ),
  answers(
    'path_link',
    i32('old_fd', 'old_flags', 'old_path', 'old_path_size', 'new_fd', 'new_path', 'new_path_size'),
    NOTSUP,
  ),
  answers(
    'path_readlink',
    [...i32('fd'), ...PATH, ...i32('buffer', 'buffer_size', 'return_size')],
    NOTSUP,
  ),
  answers('path_remove_directory', [...i32('fd'), ...PATH], NOTSUP),
  answers(
    'path_rename',
    i32('fd', 'old_path', 'old_path_size', 'new_fd', 'new_path', 'new_path_size'),
    NOTSUP,
  ),
  answers(
    'path_symlink',
    i32('old_path', 'old_path_size', 'fd', 'new_path', 'new_path_size'),
    NOTSUP,
  ),
  answers('path_unlink_file', [...i32('fd'), ...PATH], NOTSUP),

  answers('sock_accept', i32('fd', 'flags', 'return_fd'), NOTSUP),
  answers(
    'sock_recv',
    [...i32('fd'), ...IOVECS, ...i32('flags', 'return_size', 'return_flags')],
    NOTSUP,
  ),
  answers('sock_send', [...i32('fd'), ...IOVECS, ...i32('flags', 'return_size')], NOTSUP),
  answers('sock_shutdown', i32('fd', 'how'), NOTSUP),
]
