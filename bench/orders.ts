/**
 * The orders of a Williams design: over all of them, each subject has each position equally often, and follows each
 * other subject equally often. What a subject leaves behind (heat, caches, a full table of ports) thus affects all of
 * them.
 */
export function balancedOrders(count: number): number[][] {
  const first = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? i / 2 : count - (i + 1) / 2));
  const orders = first.map((_, shift) => first.map((place) => (place + shift) % count));
  // For an odd number, half of the pairs are in the reversed orders.
  return count % 2 === 0 ? orders : [...orders, ...orders.map((order) => order.toReversed())];
}
