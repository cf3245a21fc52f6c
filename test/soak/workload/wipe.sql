\set writer :client_id
SELECT wipe(:writer);
