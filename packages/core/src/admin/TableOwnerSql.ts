/** The role of the connection, and the owner of the tables of schema `$1`. */
export interface TableOwner {
  readonly role: string
  readonly owner: string
  /** Whether the role can see every user: as the owner, or because it bypasses row-level security. */
  readonly seesAll: boolean
}

export const tableOwner = /* sql */ `select current_user::text as role, pg_get_userbyid(relowner)::text as owner,
  pg_has_role(relowner, 'usage') or exists (
    select from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)
  ) as "seesAll"
from pg_class where oid = to_regclass(format('%I.users', $1::text))`
