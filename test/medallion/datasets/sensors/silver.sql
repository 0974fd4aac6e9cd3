SELECT * REPLACE (lower(device) AS device) FROM bronze.sensors
