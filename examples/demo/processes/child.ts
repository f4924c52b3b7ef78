import type { Order, Report } from '../messages.ts';

/** Tells the main process. */
export function report(message: Report): void {
  if (process.connected) process.send?.(message);
}

/** Listens to the main process, and ends when that one does. Ctrl-C is for the main process to hear. */
export function listen(onOrder: (order: Order) => void): void {
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', (order) => onOrder(order as Order));
}
