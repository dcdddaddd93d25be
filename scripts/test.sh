#!/usr/bin/env bash
# Every test, in the order of the floors; ends with one line "N passed, N failed".
# Called by `make test`, which has built everything: B is the build folder, UNIT the unit tests.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
export B
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=tests/lsan.supp:print_suppressions=0}
passed=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

one() { # name, command...: a check that passes or fails as a whole
    local name=$1
    shift
    if "$@" >"$out" 2>&1; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
        sed 's/^/      /' "$out" | tail -40
    fi
}
many() { # name, command...: a program that says how many of its tests passed and failed
    local name=$1 p f
    shift
    timeout 1800 "$@" >"$out" 2>&1
    local rc=$?
    p=$(grep -cE '^\[ +OK +\]|^ok ' "$out")
    f=$(grep -cE '^\[ +FAILED +\] [a-z_]|^not ok ' "$out")
    if line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1) && [ -n "$line" ]; then
        p=$(sed -E 's/^([0-9]+) passed.*/\1/' <<<"$line")
        f=$(sed -E 's/.*, ([0-9]+) failed.*/\1/' <<<"$line")
    fi
    [ $rc -ne 0 ] && [ "$f" -eq 0 ] && f=1
    [ $rc -eq 0 ] && [ "$p" -eq 0 ] && f=$((f + 1)) && echo "$name ran no test" >>"$out"
    passed=$((passed + p))
    failed=$((failed + f))
    if [ "$f" -eq 0 ]; then
        echo "ok    $name ($p)"
    else
        echo "FAIL  $name ($p passed, $f failed, exit $rc)"
        { grep -E -A 16 '^ *not ok |^\[ +(FAILED|ERROR) +\]' "$out" | head -60; echo ...; tail -40 "$out"; } | sed 's/^/      /'
    fi
}

one "floors: the check finds what it must" node scripts/check-floors.mjs --self-test
one "floors: lower floors never know higher ones, each library has its room" node scripts/check-floors.mjs
one "circles: the check finds what it must" node scripts/check-circles.mjs --self-test
one "contracts: the check finds what it must" node scripts/check-contracts.mjs --self-test
one "contracts: what a header declares has its comment" node scripts/check-contracts.mjs
one "circles: no file calls one that calls it, in any folder and between folders" node scripts/check-circles.mjs "$B/obj"
one "kinds: the check finds what it must" node scripts/check-kinds.mjs --self-test
one "kinds: no floor that carries a kind of work knows it" node scripts/check-kinds.mjs
one "hardening: the check finds what it must" bash scripts/check-hardening.sh --self-test gcc
if [ -n "${SAN:-}" ]; then
    echo "      hardening: not asked of programs with sanitizers"
else
    one "hardening: the programs are built to be hard to take over" bash scripts/check-hardening.sh $B/doorstep-node $B/doorstep-hub
fi
one "protocol.md and the code say the same" node scripts/check-protocol.mjs
one "nothing here asks for a newer Node.js than Debian 12 has" node scripts/check-node.mjs
for t in $UNIT; do
    many "unit $(basename "$t")" "$t"
done
for t in $FUZZ; do
    many "fuzz $(basename "$t")" "$t" "tests/fuzz/corpus/$(basename "$t" | sed s/fuzz_//)"
done
many "model: custody, lease, take-back (spin)" bash tests/model/run.sh
many "crash: a day of work, stopped at every write" "$B/crash-day"
many "sim: one link, 300 seeds" "$B/sim-link" --seeds 1..300
many "sim: every seed that ever failed" "$B/sim" --stories tests/sim/stories.txt
many "sim: nine sites, 300 seeds" "$B/sim" --seeds 1..300 --jobs 2
many "web: pure modules" node --test --test-reporter=tap shared/web/lib/*.test.js
if [ ! -x "$B/doorstep-hub" ]; then
    echo "      e2e: not run, the programs are not written yet"
else for t in tests/e2e/[0-9]*.mjs; do
    many "e2e $(basename "$t" .mjs)" node --test --test-reporter=tap "$t"
done; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
