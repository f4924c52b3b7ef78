const NAME_WIDTH = 46;
const WIDTH = 16;

/** Prints a table: the first cell of each row is its name. */
export function printColumns(rows: readonly (readonly string[])[]): void {
  for (const [name = '', ...cells] of rows) {
    console.log(name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(WIDTH)).join(''));
  }
}
