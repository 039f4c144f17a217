/** Reads nothing: the answer shows that the database is there. */
export const ping = "select 1"
