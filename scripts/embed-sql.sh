#!/usr/bin/env bash
# Print C that holds the SQL files given (NNNN-name.sql) as the list of migrations, in order.
set -euo pipefail
echo '/* made from schema/sql by scripts/embed-sql.sh */'
echo '#include "db/migrate.h"'
echo 'const struct migration schema_migrations[] = {'
n=0
for f in "$@"; do
    base=$(basename "$f" .sql)
    printf '    {%d, "%s",\n' "$((10#${base%%-*}))" "${base#*-}"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$f"
    echo '    },'
    n=$((n + 1))
done
echo '};'
echo "const int schema_migration_count = $n;"
