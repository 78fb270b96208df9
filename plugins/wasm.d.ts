/** Workers compile a `.wasm` file that is imported when they are deployed, and hand out the module. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
