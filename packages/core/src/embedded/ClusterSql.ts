/** The statements of single-user mode, one a line. */
import type { Credentials } from "./Passwords.ts"

const attributes = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"

/** Creates the roles if they do not exist, and sets their attributes and passwords. */
export const roles = ({ passwords }: Credentials) => /* sql */ `\
do $$ begin if not exists (select from pg_roles where rolname = 'todo_owner') then create role todo_owner; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'todo_runtime') then create role todo_runtime; end if; end $$;
alter role postgres password '${passwords.postgres}';
alter role todo_owner ${attributes} password '${passwords.todo_owner}';
alter role todo_runtime ${attributes} password '${passwords.todo_runtime}';
revoke todo_owner from todo_runtime;
`

export const createDatabase = /* sql */ `create database todo owner todo_owner;\n`

/** The rights on the database. */
export const grants = /* sql */ `\
alter database todo owner to todo_owner;
revoke all on database todo from public;
grant connect on database todo to todo_runtime;
`
