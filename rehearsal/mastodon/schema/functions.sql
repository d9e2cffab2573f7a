-- Snowflake ids: milliseconds in the upper 48 bits, a salted sequence in the lower 16. The salt is made once for each
-- instance and travels with the database; the installer puts 32 hex digits for @SALT@.
CREATE FUNCTION timestamp_id(table_name text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  time_part bigint := (date_part('epoch', now()) * 1000)::bigint << 16;
  sequence_base bigint;
BEGIN
  sequence_base := ('x' || substr(md5(table_name || '@SALT@' || time_part::text), 1, 4))::bit(16)::bigint;
  RETURN time_part | ((sequence_base + nextval(table_name || '_id_seq')) & 65535);
END
$f$;

-- Found by name in timestamp_id and owned by no column, as in the real schema.
CREATE SEQUENCE accounts_id_seq;
CREATE SEQUENCE statuses_id_seq;
CREATE SEQUENCE media_attachments_id_seq;
CREATE SEQUENCE quotes_id_seq;
CREATE SEQUENCE notification_requests_id_seq;
