/** workerd hands out the compiled module of a `.wasm` that is imported. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
