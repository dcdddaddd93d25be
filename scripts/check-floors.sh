#!/usr/bin/env bash
# The floors of shared/ include only floors below them; node and hub never know each other; each
# foreign library has its room. Prints every breach and fails on any.
set -u
cd "$(dirname "$0")/.."
declare -A may=(
    [base]="base" [db]="base db" [ledger]="base db ledger" [office]="base db ledger office catalogue dossiers" [catalogue]="base db ledger office catalogue" [dossiers/case]="base db ledger office catalogue dossiers"
    [sync]="base sync" [net]="base net" [site]="base db ledger office catalogue dossiers sync net site"
    [api]="base db ledger office catalogue dossiers sync net site api"
    [program]="base db ledger office catalogue dossiers sync net site api program")
bad=0
say() { echo "floors: $*"; bad=1; }
for floor in "${!may[@]}"; do
    while IFS=: read -r file _ inc; do
        dir=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$inc")
        [[ " ${may[$floor]} " == *" $dir "* ]] || say "$file includes $dir/, which is not below $floor/"
    done < <(grep -nE '^#include "[a-z]+/' shared/$floor/*.[ch] 2>/dev/null)
done
grep -lE '^#include ".*hub/' node/*.[ch] 2>/dev/null | while read -r f; do say "$f knows the hub"; done
grep -lE '^#include ".*node/' hub/*.[ch] 2>/dev/null | while read -r f; do say "$f knows the node"; done
room() { # header pattern, allowed files pattern
    while read -r f; do
        [[ $f =~ $2 ]] || say "$f includes $1 outside its room ($2)"
    done < <(grep -lE "^#include <$1" shared/*/*.[ch] node/*.[ch] hub/*.[ch] 2>/dev/null)
}
room jansson '^shared/base/json(_quick)?\.c$'
room sqlite3 '^shared/db/'
room zlib '^shared/base/deflate\.c$'
room openssl '^shared/(base/crypto|net/pki)[a-z_]*\.c$'
room libwebsockets '^shared/net/'
room cairo '^hub/'
room pango '^hub/'
exit $bad
