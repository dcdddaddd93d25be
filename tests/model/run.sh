#!/usr/bin/env bash
# Check tests/model/*.pml exhaustively, then that each fault in them is found; prints "N passed, N failed".
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$(dirname "$0")"/*.pml "$dir/"
cd "$dir" || exit 1
passed=0
failed=0
result() { # name, what is shown when it is not ok
    if [ $# -eq 1 ]; then
        echo "ok $1"
        passed=$((passed + 1))
    else
        echo "not ok $1: $2"
        cat spin.txt
        tail -n 25 pan.txt
        failed=$((failed + 1))
    fi
}
# model, spin options, pan options, compiler options. A search is given 1 GB.
search() {
    : >pan.txt
    # shellcheck disable=SC2086
    spin $2 -a "$1.pml" >spin.txt 2>&1 && gcc -w -DMEMLIM=1000 $4 -o pan pan.c >>spin.txt 2>&1 &&
        ./pan -m1000000 $3 >pan.txt 2>&1
}
check() { # name, and as search: no error, nothing left out; in a search without a claim, every line was reached
    local name=$1
    shift
    if search "$@" && grep -q 'errors: 0' pan.txt && ! grep -qE 'max search depth too small|out of memory' pan.txt &&
        { [ "$1" = custody ] || grep -q '(0 of ' pan.txt; }; then
        result "$name: $(grep -oE '[0-9.e+]+ states, stored' pan.txt | head -1)"
    else
        result "$name" "not shown"
    fi
}
plain="-DSAFETY -DNOCLAIM"
found() { # name, spin option, the promise that it breaks
    if search decisions "-DLAST=3 $2" "" "$plain"; grep -q "assertion violated $3 " pan.txt; then
        result "$1 breaks $3"
    else
        result "$1" "not found to break $3"
    fi
}
scene() { # name, condition
    { echo "#define NEVER $2" && cat decisions.pml; } >scene.pml
    if search scene "-DLAST=3" "" "$plain"; grep -q 'errors: 1' pan.txt; then
        result "it happens: $1"
    else
        result "it happens: $1" "never"
    fi
}

check "no two deciders, no decision outside the lease" custody "" "-a -N exclusion" "-O1"
check "over for the street is over for the community" custody "" "-a -N over" "-O1"
check "no decision after a take-back (assertions)" custody "" "-noclaim -E" "-O1 $plain"
check "the lease keeps nobody waiting for ever" custody "" "-a -f -N served" "-O1 -DNFAIR=5"
check "one decision stands: three custodies, withdrawal" decisions "-DLAST=3" "" "-O1 $plain"
check "one decision stands: five custodies" decisions "-DLAST=5 -DNOBODY_ASKS" "" "-O1 $plain"

# What the promises are about does happen.
scene "an unheard decision is overruled, both desks know" '!waits&&repair[C]==C2&&repair[S]==C2'
scene "also where the item waits, once the community was declared lost and came back" \
    'waits&&!lost&&repair[C]==C2&&repair[S]==C2'
scene "a street decides that knows nothing of its own handing down, and is overruled" 'stands[S]==C2&&repair[S]==S1B'
scene "a withdrawal is asked for beside a decision of the community" \
    '(k[S]&ASKED)&&stands[S]==C2&&repair[S]==0&&stands[D]==C2'
scene "a case waits for a community" 'waits&&quiet&&dead&&!lost&&!promise&&!(ALL&DECISIONS)&&NO(k[S])==2'

# The models can fail.
found takes-back-what-waits -DNOT_WAITING one_decision_is_out
found overruled-stays-valid -DNOT_REVOKED one_is_valid
found decides-before-the-district-holds -DNOT_HELD_ABOVE none_after_a_later_custody
found withdraws-without-custody -DNOT_CUSTODIAN one_decision_is_out
found folds-moves-by-clock -DNOT_BY_NUMBER the_others_are_named
found decides-while-hearing -DNOT_HEARING one_decision_is_out
found ends-hearing-by-time-for-what-waits -DNOT_HEARD_BUT_LATE one_decision_is_out
found gives-back-moves-only -DNOT_GIVEN_BACK one_decision_is_out
found tells-no-former-custodian -DNOT_TOLD all_agree_below
found believes-an-answer-without-its-position -DNOT_UP_TO_POSITION none_after_a_later_custody
found promises-nothing-anew-after-a-restore -DNOT_PROMISED_ANEW one_may_decide
sed -i 's/^#define MARGIN 2/#define MARGIN 0 - 3/' custody.pml
for claim in exclusion over; do
    search custody "" "-a -N $claim" ""
    if grep -q 'errors: 1' pan.txt; then
        result "a margin that is too small breaks $claim"
    else
        result "a margin that is too small breaks $claim" "not found"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
