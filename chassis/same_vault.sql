-- name: known
SELECT mark FROM known_vault

-- name: know
INSERT INTO known_vault (mark) VALUES ($1)
