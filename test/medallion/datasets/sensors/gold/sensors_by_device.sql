SELECT device, count(*) AS readings, max(reading) AS highest, max("at") AS latest FROM silver.sensors GROUP BY ALL ORDER BY device
