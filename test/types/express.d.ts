// Other versions of Express under their aliases of test/package.json: the types of the newest serve.
declare module 'express4' {
  export { default } from 'express';
}

declare module 'express50' {
  export { default } from 'express';
}
