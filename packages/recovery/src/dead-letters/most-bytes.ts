/** Most bytes of letters in one reply of a server, but for a single larger one: what is much longer does not come within the deadline, and fills memory. */
export const mostBytes = 2 * 1024 * 1024;
