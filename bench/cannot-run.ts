/** The request cannot be run: a message for the user, not a fault of the program. */
export class CannotRun extends Error {}
