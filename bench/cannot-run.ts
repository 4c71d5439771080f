/** What was asked for can't be run: a message for the user, and no fault of the program. */
export class CannotRun extends Error {}
