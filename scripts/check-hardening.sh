#!/usr/bin/env bash
# The programs are built so that a fault in them is hard to turn into a hold on the machine: position independent, their
# tables read-only and bound at the start, guarded stacks and copies, and, on x86, marked branch targets. Read from the
# programs, not from the Makefile. usage: check-hardening.sh PROGRAM...   --self-test CC: can it fail?
set -u
bad=0
say() { echo "hardening: $*"; bad=1; }

check() { # program
    local f=$1 head dyn seg sym switches
    head=$(readelf -h "$f") dyn=$(readelf -d "$f") seg=$(readelf -lW "$f") sym=$(readelf --dyn-syms -W "$f")
    grep -q 'Type: *DYN' <<<"$head" && grep -qE 'FLAGS_1.*PIE' <<<"$dyn" || say "$f is not position independent"
    grep -q GNU_RELRO <<<"$seg" || say "$f has no read-only tables (RELRO)"
    grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$dyn" || say "$f binds its symbols late (NOW)"
    grep -qE 'GNU_STACK.*RWE' <<<"$seg" && say "$f has a stack that can be run"
    grep -qE 'RPATH|RUNPATH' <<<"$dyn" && say "$f looks for libraries where it was built"
    grep -q __stack_chk_fail <<<"$sym" || say "$f has no guarded stacks"
    grep -qE '__(mem|str|sn|vsn|s)[a-z]+_chk' <<<"$sym" || say "$f has no guarded copies (FORTIFY)"
    # what each file of ours was compiled with stands in its debug information
    switches=$(readelf --debug-dump=info "$f" 2>/dev/null | grep -E 'DW_AT_producer.*GNU C11' | sed 's/.*GNU C11/GNU C11/' | sort -u)
    [ -n "$switches" ] || say "$f does not say how it was compiled"
    for flag in -fstack-protector-strong -fstack-clash-protection; do
        grep -qv -- "$flag" <<<"$switches" && say "$f has files that were compiled without $flag"
    done
    if grep -q X86-64 <<<"$head"; then
        grep -q -- '-fcf-protection' <<<"$switches" || say "$f has no marked branch targets (CET)"
    fi
}

if [ "${1:-}" = --self-test ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    printf '#include <stdio.h>\nint main(int n, char **a) { char b[9]; snprintf(b, n, "%%s", a[0]); return b[0]; }\n' >"$dir/x.c"
    "$2" -std=c11 -g -O2 -no-pie -fno-stack-protector -fno-stack-clash-protection -fcf-protection=none -U_FORTIFY_SOURCE \
        -Wl,-z,norelro,-z,lazy,-z,execstack "$dir/x.c" -o "$dir/x" 2>/dev/null || exit 1
    found=$(check "$dir/x" | wc -l)
    [ "$found" -ge 8 ] || { echo "only $found of at least 8 faults are found"; exit 1; }
    exit 0
fi
for f in "$@"; do check "$f"; done
exit $bad
