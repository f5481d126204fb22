"""Tables that grow for ever lie in a partition per year, by a key that begins with its time (v7).

A step of a migration makes such a table, `partition by range` of its id alone, and its default
partition: that holds what was there before, and ids that tell no time. The years' own are made
here, each before it begins: this year's when a database is new, the next one's by the relay.
"""

from typing import Final

_FIRST_ID: Final = """
    create or replace function first_id_of(year int) returns uuid immutable
    begin atomic
        select rpad(lpad(to_hex((extract(epoch from
            make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC')) * 1000)::bigint), 12, '0'),
            32, '0')::uuid;
    end
    """
# A partition is kept as the default one is; what has rows of a year there already begins with the
# next year.
_MAKE: Final = """
    create or replace function make_years() returns integer
    language plpgsql set lock_timeout = '200ms' as $$
    declare
        whole record;
        counted record;
        first_year int := extract(year from now() at time zone 'UTC');
        name name;
        begins uuid;
        ends uuid;
        begun boolean;
        made integer := 0;
    begin
        for whole in
            select c.relname, d.oid, d.relname as others, a.attname as key,
                   'with (' || array_to_string(d.reloptions, ', ') || ')' as kept
            from pg_partitioned_table p
            join pg_class c on c.oid = p.partrelid
            join pg_class d on d.oid = p.partdefid
            join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
            where c.relnamespace = 'public'::regnamespace and a.atttypid = 'uuid'::regtype
            order by 1
        loop
            for year in first_year .. first_year + 1 loop
                name := whole.relname || '_' || year;
                continue when to_regclass(quote_ident(name)) is not null;
                begins := first_id_of(year);
                ends := first_id_of(year + 1);
                execute format('select exists (select from %I where %I >= $1 and %I < $2)',
                               whole.others, whole.key, whole.key)
                    into begun using begins, ends;
                continue when begun;
                execute format('create table %I partition of %I for values from (%L) to (%L) %s',
                               name, whole.relname, begins, ends, coalesce(whole.kept, ''));
                for counted in
                    select attname, attstattarget as target from pg_attribute
                    where attrelid = whole.oid and attnum > 0 and not attisdropped
                      and attstattarget is not null
                loop
                    execute format('alter table %I alter column %I set statistics %s',
                                   name, counted.attname, counted.target);
                end loop;
                made := made + 1;
            end loop;
        end loop;
        return made;
    end $$
    """
# No step of a migration but laid anew after each, as outbox.MONTHS_DDL is.
DDL: Final = (_FIRST_ID, _MAKE)
OWNERS_FUNCTION: Final = "make_years()"
