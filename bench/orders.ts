/**
 * The orders of a Williams design: over all of them each one stands at each place equally often and comes equally often
 * behind each other one, so that what a subject leaves behind (heat, caches, a full table of ports) is shared by all.
 */
export function balancedOrders(count: number): number[][] {
  const first = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? i / 2 : count - (i + 1) / 2));
  const orders = first.map((_, shift) => first.map((place) => (place + shift) % count));
  // Of an odd number half of the pairs are in the reverses.
  return count % 2 === 0 ? orders : [...orders, ...orders.map((order) => order.toReversed())];
}
