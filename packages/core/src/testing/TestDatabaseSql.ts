/** The statements that make and drop the databases of tests, as a superuser. */

/** The migrated database that others are copies of. */
export const template = "todo_template"
/** The owner of the tables. */
export const owner = "todo_owner"
/** The role of servers. */
export const runtime = "todo_runtime"

/** Creates the roles if they do not exist. */
export const createRoles = /* sql */ `do $$ declare name text; begin
  foreach name in array array['${owner}', '${runtime}'] loop
    if not exists (select from pg_roles where rolname = name) then execute format('create role %I login', name); end if;
  end loop;
end $$`

export const create = (name: string) => /* sql */ `create database ${name} owner ${owner}`

/** Copies the template. */
export const copy = (name: string) =>
  /* sql */ `create database ${name} template ${template} strategy file_copy owner ${owner}`

export const drop = (name: string) => /* sql */ `drop database if exists ${name} with (force)`
