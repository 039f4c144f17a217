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
      next.position := ${s}.position_for(was.position, low, high, step);
    end if;
    if length(next.position) > ${longest} then
      low := left(next.position, ${s}.position_width(next.position));
      update ${s}.${table} set
        position = ${s}.position_spread(low, place, total), revision = step - 1 + place, updated_at = moment
      from (
        select id as moved, count(*) over () as total, row_number() over (
          order by (case when id = was.id then next.position else position end) collate "C"
        ) as place
        from ${s}.${table}
        where owner_id = me and (id = was.id or position >= low and position < low || 'g')
      ) places
      where owner_id = me and id = moved;
      get diagnostics steps = row_count;
      select * into next from ${s}.${table} where owner_id = me and id = was.id;
      return ${s}.done(steps, ${s}.${table === "todos" ? "todo" : "list"}_json(next));
    end if;`
