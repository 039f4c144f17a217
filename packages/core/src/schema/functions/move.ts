/** The longest key that a move may make, in characters. Beyond it the keys of the whole gap are spread evenly. */
const longest = 64

/**
 * The part of a write function that moves `next` before or after the row that the operation names. Rows in the trash
 * have keys too, so they count as neighbours.
 */
export const move = (s: string, table: "todos" | "lists", missing: string) => /* sql */ `
    select position into anchor from ${s}.${table}
    where owner_id = me and id = coalesce(op->>'before', op->>'after')::uuid and deleted_at is null;
    if not found then return ${s}.failed('${missing}'); end if;
    if op ? 'after' then
      low := anchor;
      select min(position) into high from ${s}.${table} where owner_id = me and position > anchor and id <> was.id;
    else
      select max(position) into low from ${s}.${table} where owner_id = me and position < anchor and id <> was.id;
      high := anchor;
    end if;
    if anchor <> was.position then
      next.position := ${s}.position_for(was.position, low, high, next_revision);
    end if;
    if length(next.position) > ${longest} then
      low := left(next.position, ${s}.position_width(next.position));
      select array_agg(id order by (case when id = was.id then next.position else position end) collate "C")
      into ids from ${s}.${table} where owner_id = me and (id = was.id or position >= low and position < low || 'g');
      places := ${s}.numbered(ids);
      update ${s}.${table} set
        position = ${s}.position_spread(low, (places->>id::text)::bigint, cardinality(ids)),
        revision = next_revision - 1 + (places->>id::text)::bigint,
        updated_at = moment
      where owner_id = me and id = any(ids);
      select * into next from ${s}.${table} where owner_id = me and id = was.id;
      return ${s}.done(cardinality(ids), ${s}.${table === "todos" ? "todo" : "list"}_json(next));
    end if;`
