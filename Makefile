# Doorstep: one Makefile, no recursion. `make help` lists what it can do.
#
#   B=DIR             where everything that is made goes (default build/)
#   SAN=a,b           sanitizers (address,undefined or thread); objects go to build/san-...
#   WEB=no            build the programs without pages (no Node.js needed)

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

comma := ,
ifdef SAN
B      ?= build/san-$(subst $(comma),-,$(SAN))
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
OPT    := -O1
else
B      ?= build
OPT    ?= -O2
# scripts/check-hardening.sh looks for each of these in the programs.
HARD     := -fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARD     += $(if $(findstring x86_64,$(shell gcc -dumpmachine)),-fcf-protection=full)
HARDLINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
PREFIX ?= /usr/local

CC       := gcc
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Werror
CFLAGS   := -std=c11 -g $(OPT) $(HARD) $(WARN) $(SANFLAGS)
CPPFLAGS := -D_GNU_SOURCE -Ishared -I$(B)/gen
LDFLAGS  := $(SANFLAGS) $(HARDLINK)

LIB_PKGS := libwebsockets sqlite3 zlib openssl jansson
HUB_PKGS := cairo pangocairo libqrencode
LIB_LIBS  = $(shell pkg-config --libs $(LIB_PKGS)) -lpthread -lm
HUB_CFLAGS = $(shell pkg-config --cflags $(HUB_PKGS))
HUB_LIBS  = $(shell pkg-config --libs $(HUB_PKGS)) -lzint

KINDS    := $(patsubst shared/%/.,%,$(wildcard shared/dossiers/*/.))
FLOORS   := base db ledger office catalogue $(KINDS) dossiers sync net site api program
UNIT_OF  := base db ledger office catalogue dossiers sync net site api program
LIB_SRC  := $(foreach f,$(FLOORS),$(wildcard shared/$(f)/*.c))
NODE_SRC := $(wildcard node/*.c)
HUB_SRC  := $(wildcard hub/*.c)
GEN_SRC  := $(B)/gen/migrations.c $(B)/gen/dictionary.c

LIB_OBJ  := $(LIB_SRC:%.c=$(B)/obj/%.o) $(GEN_SRC:%.c=%.o)
NODE_OBJ := $(NODE_SRC:%.c=$(B)/obj/%.o) $(B)/gen/web_node.o
HUB_OBJ  := $(HUB_SRC:%.c=$(B)/obj/%.o) $(B)/gen/web_hub.o
LIB      := $(B)/libdoorstep.a

UNIT_SRC := $(foreach f,$(UNIT_OF) $(if $(wildcard hub/main.c),print),$(wildcard tests/unit/test_$(f)_*.c))
UNIT     := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
SIM_OBJ  := $(patsubst tests/sim/world/%.c,$(B)/sim-world/%.o,$(wildcard tests/sim/world/*.c))
BENCH    := $(patsubst tests/bench/%.c,$(B)/bench_%,$(filter-out tests/bench/filing.c,$(wildcard tests/bench/*.c)))

.PHONY: bench-replication sim-mutants fuzz-long all deps programs pages unit test demo bench sim lint format install clean help

all: $(LIB) programs pages  ## build what is there: the library, the pages, the programs

# The programs are built from the day their main.c is there.
programs: $(if $(wildcard node/main.c),$(B)/doorstep-node) $(if $(wildcard hub/main.c),$(B)/doorstep-hub)
pages: $(if $(filter no,$(WEB)),,build/web/hub/.done build/web/node/.done)

# The tools and libraries are asked for once; a stamp says that they were there.
deps: build/.deps  ## install what is missing (Debian packages)
build/.deps: scripts/deps.sh
	@mkdir -p build
	bash scripts/deps.sh
	@touch $@

# ---- objects ---------------------------------------------------------------------------------
$(B)/obj/%.o: %.c | build/.deps
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(if $(filter hub/%,$<),$(HUB_CFLAGS)) -MMD -MP -c $< -o $@

$(B)/obj/shared/api/health.o: CPPFLAGS += -DBUILD_COMMIT='"$(shell git describe --always --dirty 2>/dev/null || echo unknown)"'

$(B)/gen/%.o: $(B)/gen/%.c | build/.deps
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-overlength-strings -MMD -MP -c $< -o $@

$(B)/gen/migrations.c: $(wildcard schema/sql/*.sql) scripts/embed-sql.sh
	@mkdir -p $(@D)
	bash scripts/embed-sql.sh schema/sql/*.sql > $@

$(B)/gen/dictionary.c: $(wildcard schema/sync/dictionary-*.txt) scripts/embed-text.sh
	@mkdir -p $(@D)
	bash scripts/embed-text.sh sync_dictionary_2 schema/sync/dictionary-2.txt > $@

$(LIB): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/doorstep-node: $(NODE_OBJ) $(LIB)
	$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(B)/doorstep-hub: $(HUB_OBJ) $(LIB)
	$(CC) $(LDFLAGS) $^ $(HUB_LIBS) $(LIB_LIBS) -o $@

# ---- pages -----------------------------------------------------------------------------------
WEB_SRC := $(shell find shared/web node/web hub/web -type f -not -path '*/node_modules/*' 2>/dev/null)
ifeq ($(WEB),no)
$(B)/gen/web_%.c: scripts/web/none.sh
	@mkdir -p $(@D)
	bash scripts/web/none.sh > $@
else
build/.npm: shared/web/package-lock.json | build/.deps
	@# not `npm ci`: it refuses a lock file that lacks the other platforms' optional packages
	cd shared/web && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
build/web/%/.done: $(WEB_SRC) build/.npm
	cd shared/web && node node_modules/vite/bin/vite.js build --config vite.config.mjs --mode $* --logLevel warn
	@touch $@
$(B)/gen/web_%.c: build/web/%/.done scripts/web/pack.mjs
	@mkdir -p $(@D)
	node scripts/web/pack.mjs build/web/$* $@
endif

# ---- tests -----------------------------------------------------------------------------------
$(B)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ihub -Itests/unit $(CFLAGS) $(HUB_CFLAGS) -MMD -MP -MF $@.d $< \
	  $(if $(findstring test_print,$@),$(filter-out $(B)/obj/hub/main.o $(B)/gen/%,$(HUB_OBJ))) \
	  $(LIB) $(if $(findstring test_print,$@),$(HUB_LIBS)) -lcmocka $(LIB_LIBS) $(LDFLAGS) -o $@
$(filter $(B)/unit/test_print%,$(UNIT)): $(filter-out $(B)/obj/hub/main.o $(B)/gen/%,$(HUB_OBJ))
unit: $(UNIT)  ## build the unit tests

# Documents of the simulator and of the crash test live in memory: tests/sim/world/files_calls.c stands behind these calls.
FILES_WRAP := $(foreach f,open close read __read_chk write pread __pread_chk fsync ftruncate mkdir unlink rename access stat fstat opendir readdir closedir crypto_sign crypto_verify,-Wl$(comma)--wrap=$(f))
$(B)/sim-world/%.o: tests/sim/world/%.c
	@mkdir -p $(dir $@)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(if $(filter %/main.c,$<),-DCOMMIT='"$(shell git describe --always --dirty 2>/dev/null)"') -c $< -o $@

$(B)/sim: $(SIM_OBJ) $(LIB)
	$(CC) $(SIM_OBJ) $(LIB) $(LIB_LIBS) $(LDFLAGS) $(FILES_WRAP) -o $@

$(B)/sim-link: tests/sim/link/sim_link.c tests/sim/world/heap.c $(LIB)
	$(CC) $(CPPFLAGS) $(CFLAGS) $< tests/sim/world/heap.c $(LIB) $(LIB_LIBS) $(LDFLAGS) -o $@

sim: $(B)/sim  ## the simulator: make sim SEED=n | SEEDS=a..b [JOBS=2]
	$(B)/sim $(if $(SEED),--seeds $(SEED)..$(SEED) --trace,--seeds $(or $(SEEDS),1..300) --jobs $(or $(JOBS),2))

# Programs that speak other versions of the protocol between sites, for tests/e2e: wire-OLDEST-NEWEST.
WIRE_USERS := sync/link sync/wire site/links site/frames
WIRES      := $(foreach v,2-2 4-5,$(foreach p,node hub,$(B)/wire-$(v)/doorstep-$(p)))
$(B)/wire-%/lib.a: $(WIRE_USERS:%=shared/%.c) $(LIB)
	@mkdir -p $(@D)
	cp $(LIB) $@
	for f in $(WIRE_USERS); do \
	  $(CC) $(CPPFLAGS) -DWIRE_OLDEST=$(word 1,$(subst -, ,$*)) -DWIRE_NEWEST=$(word 2,$(subst -, ,$*)) $(CFLAGS) -c shared/$$f.c -o $(@D)/$$(basename $$f).o && \
	  ar r $@ $(@D)/$$(basename $$f).o || exit 1; done
$(B)/wire-%/doorstep-node: $(B)/wire-%/lib.a $(NODE_OBJ)
	$(CC) $(LDFLAGS) $(NODE_OBJ) $< $(LIB_LIBS) -o $@
$(B)/wire-%/doorstep-hub: $(B)/wire-%/lib.a $(HUB_OBJ)
	$(CC) $(LDFLAGS) $(HUB_OBJ) $< $(HUB_LIBS) $(LIB_LIBS) -o $@

# The program of before, which knows less (shared/dossiers/all.c), for tests of programs of several ages.
BLIND_USERS := dossiers/all dossiers/case/type
BLIND       := $(B)/blind/doorstep-node $(B)/blind/doorstep-hub
BLIND_OBJ   := $(BLIND_USERS:%=$(B)/blind/%.o)
$(BLIND_OBJ): $(B)/blind/%.o: shared/%.c | build/.deps
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DBLIND $(CFLAGS) -MMD -MP -c $< -o $@
$(B)/blind/lib.a: $(filter-out $(BLIND_USERS:%=$(B)/obj/shared/%.o),$(LIB_OBJ)) $(BLIND_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(B)/blind/doorstep-node: $(NODE_OBJ) $(B)/blind/lib.a
	$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -o $@
$(B)/blind/doorstep-hub: $(HUB_OBJ) $(B)/blind/lib.a
	$(CC) $(LDFLAGS) $^ $(HUB_LIBS) $(LIB_LIBS) -o $@

# What the tables say and what became of events, for tests/e2e.
$(B)/tables: tests/e2e/tables.c $(LIB)
	$(CC) $(CPPFLAGS) $(CFLAGS) $< $(LIB) $(LIB_LIBS) $(LDFLAGS) -o $@

$(B)/adversity.so: tests/e2e/adversity.c | build/.deps
	$(CC) -D_GNU_SOURCE -O1 -Wall -shared -fPIC $< -o $@ -ldl

FUZZ     := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/main.c tests/fuzz/fuzz.h $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests/fuzz $(CFLAGS) $< tests/fuzz/main.c $(LIB) $(LIB_LIBS) $(LDFLAGS) -o $@

CRASH_SRC := tests/crash/day.c $(addprefix tests/sim/world/,disk.c disk_vfs.c files.c files_calls.c signature.c heap.c)
$(B)/crash-day: $(CRASH_SRC) $(wildcard tests/sim/world/*.h) $(LIB)
	$(CC) $(CPPFLAGS) -Itests/sim/world $(CFLAGS) $(CRASH_SRC) $(LIB) $(LIB_LIBS) $(LDFLAGS) $(FILES_WRAP) -o $@

fuzz-long: | build/.deps $(B)/gen/dictionary.c  ## libFuzzer on every decoder (SECONDS=60 each; needs clang)
	@mkdir -p build/fuzz
	set -e; for t in $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c)); do \
	  clang -g -O1 -w -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(CPPFLAGS) -Itests/fuzz tests/fuzz/$$t.c shared/base/*.c shared/sync/*.c shared/net/head.c shared/net/chunked.c shared/net/ws_frame.c \
	    shared/ledger/event.c $(B)/gen/dictionary.c $(shell pkg-config --libs zlib openssl jansson) -o build/fuzz/$$t.long; \
	  mkdir -p build/fuzz/$$t.corpus; \
	  build/fuzz/$$t.long -max_total_time=$(or $(SECONDS),60) -artifact_prefix=build/fuzz/$$t- build/fuzz/$$t.corpus; done

sim-mutants: $(LIB)  ## can the checkers fail? one deliberate fault at a time
	B=$(B) JOBS=$(or $(JOBS),2) WRAP="$(FILES_WRAP)" node tests/sim/mutants.mjs

test: programs pages $(UNIT) $(FUZZ) $(B)/crash-day $(B)/sim $(B)/sim-link $(B)/adversity.so $(B)/tables $(WIRES) $(BLIND)  ## every test; ends with "N passed, N failed"
	B=$(B) SAN=$(SAN) UNIT="$(UNIT)" FUZZ="$(FUZZ)" bash scripts/test.sh

demo: programs  ## the main job through three tiers on real input (ONCE=1: play and stop)
	@test -x $(B)/doorstep-hub || { echo "demo: the programs are not written yet (see README.md, State)" >&2; exit 1; }
	B=$(B) ONCE=$(ONCE) node scripts/demo.mjs

$(B)/bench_fleet: tests/bench/fleet.c $(wildcard tests/bench/fleet/*.[ch]) tests/bench/filing.c tests/bench/filing.h $(LIB)
	$(CC) $(CPPFLAGS) -Itests/bench $(CFLAGS) $(filter %.c,$^) $(LIB) $(LIB_LIBS) $(LDFLAGS) -o $@

$(B)/bench_%: tests/bench/%.c tests/bench/filing.c tests/bench/filing.h $(LIB)
	$(CC) $(CPPFLAGS) -Itests/bench $(CFLAGS) $< tests/bench/filing.c $(LIB) $(LIB_LIBS) $(LDFLAGS) -o $@

bench: programs $(B)/bench_fill $(B)/bench_log  ## figures: cases per second, catch-up, memory, start-up
	@test -x $(B)/doorstep-hub || { echo "bench: the programs are not written yet (see README.md, State)" >&2; exit 1; }
	B=$(B) node tests/bench/bench.mjs

bench-replication: programs $(BENCH)  ## figures of replication (PEERS=1: beside others; ONLY=catchup,latency,...; RUNS=3)
	B=$(B) PEERS=$(PEERS) ONLY=$(ONLY) RUNS=$(RUNS) node tests/bench/replication.mjs

# cppcheck 2.10 ends with a signal on _Generic: for it the choice of db.h is made beforehand. Macros that take a text or
# NULL are given literals too.
C_FILES = $(shell find shared node hub tests -name '*.[ch]' -not -path '*/node_modules/*')
lint: $(LIB) | build/.deps  ## floors, circles, contracts, format, static analysis (installs what that needs)
	bash scripts/deps.sh lint
	node scripts/check-floors.mjs
	node scripts/check-circles.mjs $(B)/obj
	node scripts/check-contracts.mjs
	@clang-format --dry-run -Werror $(C_FILES)
	@cppcheck -j2 --quiet --std=c11 --platform=unix64 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	  --suppress=incorrectStringBooleanError -D'DB_BY(n,at,named)=at' -Ishared $(filter shared/%.c node/%.c hub/%.c,$(C_FILES))
	shellcheck -S warning $$(find scripts tests -name '*.sh')

format:  ## clang-format the C sources
	clang-format -i $(C_FILES)

install: programs  ## install into DESTDIR/PREFIX
	install -D -m 755 $(B)/doorstep-node $(DESTDIR)$(PREFIX)/bin/doorstep-node
	install -D -m 755 $(B)/doorstep-hub $(DESTDIR)$(PREFIX)/bin/doorstep-hub
	install -d $(DESTDIR)$(PREFIX)/share/doorstep/catalogue
	cp -r schema/catalogue/. $(DESTDIR)$(PREFIX)/share/doorstep/catalogue/
	install -D -m 644 schema/openapi.yaml $(DESTDIR)$(PREFIX)/share/doorstep/openapi.yaml

clean:  ## remove everything that was made
	rm -rf build

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

-include $(SIM_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(BLIND_OBJ:.o=.d) $(NODE_OBJ:.o=.d) $(HUB_OBJ:.o=.d) $(UNIT:=.d)
