/** Written by in-worker.ts beside the bundle: the modules that are shipped. */
declare const modules: readonly { readonly name: string; readonly module: WebAssembly.Module }[]
export default modules
