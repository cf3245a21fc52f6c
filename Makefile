# Penstock: the output plugin, the consumer, and everything that tests them.
#
# Products go to build/ and nowhere else:
#
#   build/proto/           the C form of proto/penstock.proto
#   build/pg<major>/       the plugin, one directory for each server version
#   build/consumer/        the consumer's object files
#   build/penstock         the consumer
#   build/penstock.1       its manual page; .bash, .zsh: completion for shells;
#                          .ini.sample: a sample of a configuration file
#   build/penstock@.service   its unit for systemd
#   build/deb/             packages for Debian, and what they are made of
#   build/test/            unit test programs, logs of tests
#   build/{asan,coverage,fuzz}/  the same once more, built another way
#
# A new source file, unit test, fuzz target or end-to-end test needs no edit
# here.  "make help" lists the targets.
#
# This file must be readable before anything is installed, because "make demo"
# and "make check" install what they need: nothing that is evaluated while make
# reads it may fail for want of a program.

VERSION = 0.2.0

# Where the consumer is installed; the plugin goes where its server looks.
PREFIX = /usr/local

PG_CONFIG = pg_config
PKG_CONFIG = pkg-config
PROTOC_C = protoc-c
PROVE = prove
# Debian's server headers bring this one.
CLANG = $(firstword $(shell command -v clang-14 clang) clang)
CLANG_FORMAT = $(firstword $(shell command -v clang-format-14 clang-format) \
                 clang-format)
CLANG_TIDY = $(firstword $(shell command -v clang-tidy-14 clang-tidy) \
               clang-tidy)
CPPCHECK = cppcheck

CFLAGS = -O2 -g
# Flags of one way of building: make asan and others set them.
VARIANT_FLAGS =
# Of the plugin; empty: the compiler that the server was built with.
PLUGIN_CC =
# Of the plugin, beside the server's own: make asan sets them.
PLUGIN_FLAGS =

# Seconds that "make fuzz" gives to each fuzz target; or how many inputs, the
# same ones each time (empty: as many as the seconds allow).
FUZZ_SECONDS = 60
FUZZ_RUNS =
# Of "make soak": how long, which faults (empty: other ones each time), and of
# which kinds (empty: of all; test/soak/run --list); transactions per second
# (empty: 120); whether through a pooler (empty: no).
MINUTES = 10
SEED =
KINDS =
RATE =
POOLER =
# Of "make fuzz-rows", beside MINUTES and SEED (test/fuzz/rows/run tells more):
# rounds, transactions of each writer, features, rounds with findings to stop at.
ROUNDS =
STEPS =
ONLY =
WITHOUT =
FINDINGS =
# End-to-end tests to run, relative to the checkout.
PROVE_TESTS = test/t
# Of "make check-deb": a directory with packages that are made (empty: they are
# built), and releases (empty: all).
PACKAGES =
RELEASES =
PROVE_FLAGS =
# How many of them at a time: they wait more than they work.
TEST_JOBS = $(or $(PENSTOCK_TEST_JOBS),$(shell echo $$(($$(nproc) + 1))))

# Where the consumer and its tests are built: build, or a directory in it.
OUT = build
PROTO_DIR = build/proto

# Any of these may be unknown before the server is installed.
pg_version := $(shell $(PG_CONFIG) --version 2>/dev/null)
PG_MAJOR = $(shell echo '$(pg_version)' | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
PLUGIN_DIR = build/pg$(PG_MAJOR)

# The last is for clang, whose -Wconversion refuses ASSERT(!"reason").
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wundef -Wimplicit-fallthrough \
	-Wdeclaration-after-statement -Werror -Wno-string-conversion

package_cflags := $(shell $(PKG_CONFIG) --cflags libpq libprotobuf-c libzstd jansson libmicrohttpd 2>/dev/null)
package_libs := $(shell $(PKG_CONFIG) --libs libpq libprotobuf-c libzstd jansson libmicrohttpd 2>/dev/null)
ifeq ($(package_libs),)
package_libs = -lpq -lprotobuf-c -lzstd -ljansson -lmicrohttpd
endif

# The generated header is included as a system header: it is not ours to mend.
# -MD rather than -MMD, for the sake of that header's dependency.
CONSUMER_CPPFLAGS = -Iconsumer -isystem $(PROTO_DIR) $(package_cflags) \
	-D_GNU_SOURCE -DPENSTOCK_VERSION='"$(VERSION)"'
CONSUMER_CFLAGS = -std=gnu11 $(CONSUMER_CPPFLAGS) $(CPPFLAGS) $(WARNINGS) \
	-fstack-protector-strong $(CFLAGS) $(VARIANT_FLAGS) -MD -MP
CONSUMER_LDFLAGS = $(CFLAGS) $(VARIANT_FLAGS) $(LDFLAGS)
CONSUMER_LIBS = $(package_libs) $(LIBS)

sources := $(sort $(shell find consumer -name '*.c'))
objects := $(patsubst %.c,$(OUT)/%.o,$(sources)) $(OUT)/proto/penstock.pb-c.o
library_objects := $(filter-out $(OUT)/consumer/main.o,$(objects))

unit_sources := $(sort $(shell find test/unit -name '*.c'))
unit_programs := $(patsubst %.c,$(OUT)/%,$(filter %_test.c,$(unit_sources)))
# What tests share.  It is linked from an archive, before the real libraries:
# a scripted stand-in for one is used by the tests that refer to it.
support_objects := $(patsubst %.c,$(OUT)/%.o, \
	$(filter-out %_test.c,$(unit_sources)))
support_library := $(if $(support_objects),$(OUT)/test/unit/libsupport.a)

fuzz_sources := $(sort $(wildcard test/fuzz/*_fuzz.c))
fuzz_programs := $(patsubst %.c,$(OUT)/%,$(fuzz_sources))

c_files := $(sort $(shell find consumer plugin regress test -name '*.[ch]'))

# V=1 shows the commands.
V = 0
ifeq ($(V),0)
quiet = @echo '$(1) $(patsubst build/%,%,$(2))';
endif

# For use within single quotes.
escaped = $(subst ','\'',$(1))

SHELL = /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-print-directory

.PHONY: all	## build the consumer and the plugin
all: consumer plugin texts

.PHONY: help	## list the targets
help:
	@sed -nE 's/^\.PHONY: (.*)\t## (.*)/\1\t\2/p' Makefile | expand -t 18
	@echo
	@echo 'PG_CONFIG=… chooses the server version; CC, CFLAGS, PREFIX and'
	@echo 'DESTDIR mean what they usually mean.'


# ---- The wire format ----

# protoc-c writes both at once: one stamp stands for the pair.
$(PROTO_DIR)/penstock.pb-c.c $(PROTO_DIR)/penstock.pb-c.h: \
		$(PROTO_DIR)/stamp ;

$(PROTO_DIR)/stamp: proto/penstock.proto
	@command -v $(PROTOC_C) >/dev/null || { \
		echo 'cannot run "$(PROTOC_C)": install what it takes to build' \
			'(test/prepare build)' >&2; exit 1; }
	@mkdir -p $(@D)
	$(call quiet,protoc,$@)$(PROTOC_C) --proto_path=proto --c_out=$(@D) $<
	@touch $@

# Generated code is compiled as it comes.
$(OUT)/proto/penstock.pb-c.o: $(PROTO_DIR)/penstock.pb-c.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call quiet,cc,$<)$(CC) -std=gnu11 -w -I$(PROTO_DIR) $(package_cflags) \
		$(CFLAGS) $(VARIANT_FLAGS) -c $< -o $@


# ---- The consumer ----

.PHONY: consumer	## build the consumer: build/penstock
consumer: $(OUT)/penstock

# What the consumer says of its options, for man, for shells and for people.
texts = $(OUT)/penstock.1 $(OUT)/penstock.bash $(OUT)/penstock.zsh \
	$(OUT)/penstock.ini.sample $(OUT)/penstock@.service
# Whatever a user has set for pipelines of his own.
say = env -u PENSTOCK_CONFIG -u PENSTOCK_NAME $(OUT)/penstock config

.PHONY: texts
texts: $(texts)

$(OUT)/penstock.1: $(OUT)/penstock
	$(call quiet,text,$@)$(say) manual >$@

$(OUT)/penstock.bash: $(OUT)/penstock
	$(call quiet,text,$@)$(say) completion bash >$@

$(OUT)/penstock.zsh: $(OUT)/penstock
	$(call quiet,text,$@)$(say) completion zsh >$@

$(OUT)/penstock.ini.sample: $(OUT)/penstock
	$(call quiet,text,$@)$(say) sample >$@

# The unit names the program where it is installed.
$(OUT)/penstock@.service: consumer/service/penstock@.service.in FORCE
	@sed 's|@PREFIX@|$(PREFIX)|' $< | cmp -s - $@ || \
		sed 's|@PREFIX@|$(PREFIX)|' $< >$@

$(OUT)/penstock: $(objects)
	$(call quiet,link,$@)$(CC) $(CONSUMER_LDFLAGS) $^ $(CONSUMER_LIBS) -o $@

$(OUT)/consumer/%.o: consumer/%.c $(OUT)/flags \
		| $(PROTO_DIR)/penstock.pb-c.h
	@mkdir -p $(@D)
	$(call quiet,cc,$<)$(CC) $(CONSUMER_CFLAGS) -c $< -o $@

# It has these in it.
$(OUT)/consumer/http/page.o: $(wildcard consumer/http/page/*)

# Another compiler or other flags build everything again.
.PHONY: FORCE
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(call escaped,$(CONSUMER_CFLAGS))' | \
		cmp -s - $@ || echo '$(CC) $(call escaped,$(CONSUMER_CFLAGS))' >$@

-include $(patsubst %.o,%.d,$(objects) $(support_objects)) \
	$(addsuffix .d,$(unit_programs) $(fuzz_programs)) \
	$(patsubst %.c,$(OUT)/%.d,$(wildcard test/tools/*.c))


# ---- The plugin ----

# It has a Makefile of its own, for PGXS, which is run in the directory of the
# server version.  Settings of our CC and CFLAGS are not for it.  Only sources
# are looked for in plugin/, not (as VPATH would) objects of a build in there,
# which may be another version's.
plugin_make = $(MAKE) $(if $(filter 0,$(V)),--silent) \
	-C $(PLUGIN_DIR) -f $(CURDIR)/plugin/Makefile \
	--eval='vpath %.c $(CURDIR)/plugin' --eval='vpath %.h $(CURDIR)/plugin' \
	PG_CONFIG=$(PG_CONFIG) \
	PENSTOCK_VERSION=$(VERSION) PROTO_DIR=$(CURDIR)/$(PROTO_DIR) \
	$(if $(PLUGIN_CC),CC=$(PLUGIN_CC)) \
	$(if $(PLUGIN_FLAGS),PROFILE='$(PLUGIN_FLAGS)') \
	$(if $(DESTDIR),DESTDIR=$(DESTDIR))

.PHONY: plugin	## build the plugin
plugin: MAKEOVERRIDES =
plugin: server-present $(PROTO_DIR)/penstock.pb-c.h
	@mkdir -p $(PLUGIN_DIR)
	@echo 'pgxs $(PLUGIN_DIR)/penstock.so'
	@$(plugin_make) all

.PHONY: server-present
server-present:
	@test -n '$(PG_MAJOR)' || { \
		echo 'cannot run "$(PG_CONFIG)": install the headers of a server' \
			'(test/prepare build) or set PG_CONFIG' >&2; exit 1; }


# ---- Installation ----

man_folder = share/man/man1
bash_folder = share/bash-completion/completions
zsh_folder = share/zsh/vendor-completions
doc_folder = share/doc/penstock
unit_folder = lib/systemd/system
text_folders = $(man_folder) $(bash_folder) $(zsh_folder) $(doc_folder) \
	$(unit_folder)

.PHONY: install	## install the plugin (into its server) and the consumer
install: MAKEOVERRIDES =
install: all
	@echo 'pgxs install'
	@$(plugin_make) install
	install -d $(foreach f,bin $(text_folders),'$(DESTDIR)$(PREFIX)/$(f)')
	install -m 755 build/penstock '$(DESTDIR)$(PREFIX)/bin/penstock'
	install -m 644 build/penstock.1 '$(DESTDIR)$(PREFIX)/$(man_folder)'
	install -m 644 build/penstock.bash \
		'$(DESTDIR)$(PREFIX)/$(bash_folder)/penstock'
	install -m 644 build/penstock.zsh \
		'$(DESTDIR)$(PREFIX)/$(zsh_folder)/_penstock'
	install -m 644 build/penstock.ini.sample \
		'$(DESTDIR)$(PREFIX)/$(doc_folder)'
	install -m 644 build/penstock@.service \
		'$(DESTDIR)$(PREFIX)/$(unit_folder)'

.PHONY: uninstall	## remove what install put there
uninstall: MAKEOVERRIDES =
uninstall: server-present
	@mkdir -p $(PLUGIN_DIR)
	@$(plugin_make) uninstall
	rm -f '$(DESTDIR)$(PREFIX)/bin/penstock' \
		'$(DESTDIR)$(PREFIX)/$(man_folder)/penstock.1' \
		'$(DESTDIR)$(PREFIX)/$(bash_folder)/penstock' \
		'$(DESTDIR)$(PREFIX)/$(zsh_folder)/_penstock' \
		'$(DESTDIR)$(PREFIX)/$(doc_folder)/penstock.ini.sample' \
		'$(DESTDIR)$(PREFIX)/$(unit_folder)/penstock@.service'

.PHONY: deb	## build packages for this machine's Debian: build/deb
deb: server-present
	@test/prepare deb
	@rm -rf build/deb
	@PG_CONFIG='$(PG_CONFIG)' consumer/service/debian/build '$(VERSION)' build/deb

.PHONY: clean	## remove build/
clean:
	rm -rf build


# ---- Tests ----

.PHONY: prepare	## install what demo and check need, as far as it is missing
prepare:
	@test/prepare check

# What "check" needs may not be installed yet, so nothing of it is a
# prerequisite: test/check runs make again when it is.
.PHONY: check	## install what is missing, then run every test
check:
	@test/prepare check
	+@MAKE='$(MAKE)' test/check

.PHONY: check-deps	## check includes between directories, banned functions
check-deps: $(PROTO_DIR)/penstock.pb-c.h
	@CC='$(CC)' CONSUMER_FLAGS='-std=gnu11 $(call escaped,$(CONSUMER_CPPFLAGS))' \
		PLUGIN_FLAGS='-std=gnu11 $(call escaped,$(plugin_cppflags))' test/lint

.PHONY: check-unit	## run the unit tests
check-unit: $(unit_programs) $(tool_programs)
	@test/tools/run-unit $(unit_programs)

$(OUT)/test/%.o: test/%.c $(OUT)/flags | $(PROTO_DIR)/penstock.pb-c.h
	@mkdir -p $(@D)
	$(call quiet,cc,$<)$(CC) $(CONSUMER_CFLAGS) -Itest/unit -c $< -o $@

$(OUT)/test/unit/libsupport.a: $(support_objects)
	@rm -f $@
	$(call quiet,ar,$@)$(AR) rcs $@ $^

$(OUT)/test/unit/%_test: $(OUT)/test/unit/%_test.o $(library_objects) \
		$(support_library)
	$(call quiet,link,$@)$(CC) $(CONSUMER_LDFLAGS) $^ -lcmocka $(CONSUMER_LIBS) -o $@

# Programs that end-to-end tests run beside the consumer.
tool_programs := $(patsubst test/tools/%.c,$(OUT)/tools/%, \
	$(wildcard test/tools/*.c))

.PHONY: tools
tools: $(tool_programs)

$(OUT)/tools/%: $(OUT)/test/tools/%.o $(library_objects)
	@mkdir -p $(@D)
	$(call quiet,link,$@)$(CC) $(CONSUMER_LDFLAGS) $^ $(CONSUMER_LIBS) -o $@

.PHONY: check-regress	## run the plugin's tests inside a server of their own
check-regress: plugin $(PROTO_DIR)/penstock.pb-c.h
	@PG_CONFIG='$(PG_CONFIG)' PROTO_DIR='$(PROTO_DIR)' \
		regress/run $(PLUGIN_DIR)

# Against what "make install" installed.
.PHONY: installcheck	## check-regress with the installed plugin
installcheck: server-present $(PROTO_DIR)/penstock.pb-c.h
	@PG_CONFIG='$(PG_CONFIG)' PROTO_DIR='$(PROTO_DIR)' \
		regress/run "$$($(PG_CONFIG) --pkglibdir)"

.PHONY: check-e2e	## run source, consumer and target (PROVE_TESTS=…)
check-e2e: all faults tools
	@test/soak/place --faults=$(OUT)/faults/penstock \
		test/stage --penstock=$(OUT)/penstock --logs=$(OUT)/test/e2e \
		--with=$(OUT)/tools --with=consumer/service --with=consumer/doc \
		$(if $(findstring --coverage,$(VARIANT_FLAGS)),--gcov=$(OUT)) \
		env HARNESS_RULESFILE=test/t/testrules.yml \
		$(PROVE) --recurse --exec test/tools/apart --jobs=$(TEST_JOBS) \
		$(PROVE_FLAGS) $(PROVE_TESTS)

# The tests that apply most, those of what once went wrong in silence, and the
# ways that are not the default.  Tests 041 to 049, and 051, go through the ways
# to apply by themselves, and 053 is about the options that choose them.
MODE_TESTS = $(wildcard $(addprefix test/t/,001* 002* 003* 004* 006* 009* 011* \
	014* 033* 044* 050* 057* 063* 074* 076*))
MODES = 'APPLY=transaction' 'APPLY=transaction LANES=4' 'STREAMING=off' \
	'COMPRESSION=zstd' 'COMPRESSION=zstd APPLY=transaction LANES=4'

.PHONY: check-modes	## run source, consumer and target in other ways to apply
check-modes: all faults
	@for mode in $(MODES); do \
		echo "$$mode"; \
		env $$(printf 'PENSTOCK_%s ' $$mode) \
			$(MAKE) check-e2e PROVE_TESTS='$(MODE_TESTS)' || exit; \
	done

# The consumer with places at which it dies if a test wants it to.
.PHONY: faults
faults: $(PROTO_DIR)/penstock.pb-c.h
	@$(MAKE) OUT=$(OUT)/faults \
		VARIANT_FLAGS='$(VARIANT_FLAGS) -DPENSTOCK_FAULTS' consumer

.PHONY: check-promote	## kill the source ROUNDS times and promote; SEED=…
check-promote:
	@env PENSTOCK_ROUNDS=$(or $(ROUNDS),100) $(if $(SEED),PENSTOCK_SEED=$(SEED)) \
		$(MAKE) check-e2e PROVE_TESTS=test/t/086_promote_by_chance.t

.PHONY: soak-switch	## switch there and back ROUNDS times under 64 writers
soak-switch:
	@env PENSTOCK_ROUNDS=$(or $(ROUNDS),100) \
		$(MAKE) check-e2e PROVE_TESTS=test/t/115_switch_load.t

.PHONY: soak-verify	## verify in a loop for MINUTES, while all is written; RATE=…
soak-verify:
	@env PENSTOCK_MINUTES=$(MINUTES) $(if $(SEED),PENSTOCK_SEED=$(SEED)) \
		$(if $(RATE),PENSTOCK_RATE=$(RATE)) \
		$(MAKE) check-e2e PROVE_TESTS=test/t/119_verify_soak.t

.PHONY: check-migrations	## follow a year of an application's migrations
check-migrations:
	@env PENSTOCK_MIGRATIONS=all \
		$(MAKE) check-e2e PROVE_TESTS=test/t/103_migrations.t

# What it keeps when something is wrong is in $(OUT)/soak.
.PHONY: soak	## follow under faults for MINUTES; SEED=… KINDS=… POOLER=1
soak: all faults
	@rm -rf $(OUT)/soak
	@PENSTOCK_KEPT=$(OUT)/soak/kept \
		test/soak/place --faults=$(OUT)/faults/penstock \
		test/stage --penstock=$(OUT)/penstock --logs=$(OUT)/test/soak \
		--results=$(OUT)/soak test/soak/run --minutes=$(MINUTES) \
		$(if $(SEED),--seed=$(SEED)) $(if $(KINDS),--kinds=$(KINDS)) \
		$(if $(RATE),--rate=$(RATE)) $(if $(POOLER),--pooler)

# The tests come from Debian's source package of the server; build/regression
# keeps them.
.PHONY: check-regression	## clone and follow PostgreSQL's own regression database
check-regression: all
	@test/prepare check
	@PG_CONFIG='$(PG_CONFIG)' test/regression/fetch build/regression
	@test/stage --penstock=$(OUT)/penstock \
		--logs=$(OUT)/test/regression --with=build/regression/tests \
		$(PROVE) -I test/t/lib $(PROVE_FLAGS) test/regression/regression.t

.PHONY: check-regression-followed	## follow those tests while they run
check-regression-followed: all
	@test/prepare check
	@PG_CONFIG='$(PG_CONFIG)' test/regression/fetch build/regression
	@test/stage --penstock=$(OUT)/penstock \
		--logs=$(OUT)/test/regression-followed \
		--with=build/regression/tests \
		$(PROVE) -I test/t/lib $(PROVE_FLAGS) test/regression/followed.t

# axe-core comes from npm; pictures are left in $(OUT)/page.
.PHONY: check-page	## the page of a follower in Chromium, with axe-core
check-page: all
	@test/prepare page
	@[ -e build/axe/node_modules/axe-core ] || \
		npm install --silent --no-audit --no-fund --prefix build/axe axe-core@4
	@rm -rf $(OUT)/page
	@test/stage --penstock=$(OUT)/penstock --logs=$(OUT)/test/page \
		--results=$(OUT)/page --with=build/axe/node_modules/axe-core \
		$(PROVE) -I test/t/lib $(PROVE_FLAGS) test/page/page.t

.PHONY: check-prometheus	## alerts and metrics, with Debian's Prometheus
check-prometheus: all
	@test/prepare prometheus
	@test/stage --penstock=$(OUT)/penstock --logs=$(OUT)/test/prometheus \
		--with=consumer/service/prometheus --with=consumer/metrics \
		$(PROVE) -I test/t/lib $(PROVE_FLAGS) test/prometheus/alerts.t

# Trees of these releases are made for it, in build/packages.
.PHONY: check-deb	## packages on clean Debian 12 and 13; as root (RELEASES=…)
check-deb:
	@test/packages/run $(if $(PACKAGES),--packages='$(PACKAGES)') $(RELEASES)

# Trees of other Debian releases are made for it, in build/versions.  14 and 16,
# which none of them ships, are tested if they are in bookworm's.
.PHONY: check-versions	## on PostgreSQL 13, 15, 17, 18 and 19, and across; as root
check-versions: consumer faults tools
	@test/versions/run

sanitizers = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

.PHONY: asan	## unit, regression and end-to-end tests with ASan and UBSan
asan: asan-plugin
	$(MAKE) OUT=build/asan CFLAGS='-O1 -g' VARIANT_FLAGS='$(sanitizers)' \
		check-unit check-e2e

# The compiler of the server's flags is gcc, and the server itself is built
# without: the runtime has to be there before anything else.
.PHONY: asan-plugin
asan-plugin: $(PROTO_DIR)/penstock.pb-c.h
	@$(MAKE) plugin PLUGIN_CC=gcc PLUGIN_FLAGS='$(sanitizers)' \
		PLUGIN_DIR=build/asan/plugin
	@SANITIZER="$$(gcc -print-file-name=libasan.so)" \
		PG_CONFIG='$(PG_CONFIG)' PROTO_DIR='$(PROTO_DIR)' \
		regress/run build/asan/plugin

# Servers are rarely built with assertions, but any has the function that is
# called when one does not hold.  From 18 on, headers of the server's use others.
.PHONY: check-assert	## check-regress with the plugin's assertions, up to 17
check-assert: $(PROTO_DIR)/penstock.pb-c.h
	@$(MAKE) plugin PLUGIN_FLAGS=-DUSE_ASSERT_CHECKING \
		PLUGIN_DIR=build/assert/plugin
	@PG_CONFIG='$(PG_CONFIG)' PROTO_DIR='$(PROTO_DIR)' \
		regress/run build/assert/plugin

.PHONY: valgrind	## unit tests under valgrind
valgrind: $(unit_programs)
	@UNDER='valgrind --quiet --leak-check=full --error-exitcode=9' \
		test/tools/run-unit $(unit_programs)

.PHONY: coverage	## unit and end-to-end tests, and the lines that they reached
coverage:
	@rm -rf build/coverage
	$(MAKE) OUT=build/coverage CC=gcc CFLAGS='-O0 -g' \
		VARIANT_FLAGS=--coverage coverage-run

.PHONY: coverage-run
coverage-run:
	@status=0; $(MAKE) --keep-going check-unit check-e2e || status=$$?; \
		test/tools/coverage $(OUT); exit $$status

# ---- Fuzzing ----

.PHONY: fuzz	## run each fuzz target for FUZZ_SECONDS
fuzz:
	$(MAKE) OUT=build/fuzz CC='$(CLANG)' CFLAGS='-O1 -g' \
		VARIANT_FLAGS='$(fuzz_flags)' fuzz-run

fuzz_flags = -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all

# What it keeps when something is wrong is in $(OUT)/fuzz-rows.
.PHONY: fuzz-rows	## tables, values and changes at random for MINUTES; SEED=…
fuzz-rows: all faults
	@rm -rf $(OUT)/fuzz-rows
	@PENSTOCK_KEPT=$(OUT)/fuzz-rows \
		test/soak/place --faults=$(OUT)/faults/penstock \
		test/stage --penstock=$(OUT)/penstock --results=$(OUT)/fuzz-rows \
		test/fuzz/rows/run --minutes=$(MINUTES) \
		$(if $(SEED),--seed=$(SEED)) $(if $(ROUNDS),--rounds=$(ROUNDS)) \
		$(if $(STEPS),--steps=$(STEPS)) $(if $(ONLY),--only=$(ONLY)) \
		$(if $(WITHOUT),--without=$(WITHOUT)) \
		$(if $(FINDINGS),--findings=$(FINDINGS))

# What it keeps when something is wrong is in $(OUT)/fuzz-ddl.
.PHONY: fuzz-ddl	## changes of a schema at random for MINUTES; SEED=… ROUNDS=…
fuzz-ddl: tools
	@rm -rf $(OUT)/fuzz-ddl
	@test/stage --with=$(OUT)/tools --results=$(OUT)/fuzz-ddl \
		test/fuzz/ddl/run --minutes=$(MINUTES) \
		$(if $(SEED),--seed=$(SEED)) $(if $(ROUNDS),--rounds=$(ROUNDS)) \
		$(if $(STEPS),--steps=$(STEPS)) \
		$(if $(FINDINGS),--findings=$(FINDINGS))

# What it keeps when something is wrong is in $(OUT)/fuzz-follow.
.PHONY: fuzz-follow	## the same followed, with rows, kills; SEED=… ROUNDS=…
fuzz-follow: all
	@rm -rf $(OUT)/fuzz-follow
	@test/stage --penstock=$(OUT)/penstock --results=$(OUT)/fuzz-follow \
		test/fuzz/ddl/follow --minutes=$(MINUTES) \
		$(if $(SEED),--seed=$(SEED)) $(if $(ROUNDS),--rounds=$(ROUNDS)) \
		$(if $(STEPS),--steps=$(STEPS)) \
		$(if $(FINDINGS),--findings=$(FINDINGS))

.PHONY: fuzz-run
fuzz-run: $(fuzz_programs)
	@SECONDS_EACH='$(FUZZ_SECONDS)' RUNS_EACH='$(FUZZ_RUNS)' \
		test/tools/run-fuzz $(fuzz_programs)

$(OUT)/test/fuzz/%_fuzz: $(OUT)/test/fuzz/%_fuzz.o $(library_objects)
	$(call quiet,link,$@)$(CC) $(CONSUMER_LDFLAGS) -fsanitize=fuzzer \
		$^ $(CONSUMER_LIBS) -o $@


# ---- Demonstration and measurement ----

.PHONY: demo	## install what is missing, then move a database that is in use
demo:
	@test/prepare demo
	@$(MAKE) --silent all
	@test/stage test/demo

.PHONY: bench	## measure against other plugins and native replication
bench: all
	@test/stage --results=build/bench test/bench/run

# What is compared is the time that the thread of the loop takes.
.PHONY: bench-scrapes	## what 1,000 scrapes of the metrics a second cost
bench-scrapes: all
	@test/stage --results=build/bench test/bench/scrapes


# ---- Style ----

.PHONY: lint	## check-deps, layout, cppcheck and clang-tidy
lint:
	@test/prepare lint
	@$(MAKE) --keep-going check-deps lint-clang lint-format lint-cppcheck \
		lint-tidy

# The other compiler's warnings.
.PHONY: lint-clang
lint-clang:
	@$(MAKE) OUT=build/clang CC='$(CLANG)' consumer
	@$(MAKE) plugin PLUGIN_CC='$(CLANG)' PLUGIN_DIR=build/clang/plugin

.PHONY: lint-format
lint-format:
	@echo clang-format
	@$(CLANG_FORMAT) --dry-run -Werror $(c_files)

.PHONY: format	## lay out all C files as .clang-format says
format:
	$(CLANG_FORMAT) -i $(c_files)

lint_sources = $(filter consumer/%.c,$(c_files))
lint_plugin_sources = $(filter plugin/%.c,$(c_files))
lint_test_sources = $(filter test/%.c,$(c_files))
plugin_include = $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
plugin_cppflags = -Iplugin -isystem $(PROTO_DIR) -isystem $(plugin_include) \
	-D_GNU_SOURCE -DPENSTOCK_VERSION='"$(VERSION)"'

# System headers and the server's are not read: what of the server's would keep
# a file from being understood is given here.  Suppressed besides:
#   duplicateAssignExpression   two that start alike are no mistake
cppcheck = $(CPPCHECK) --quiet --std=c11 --language=c --error-exitcode=1 \
	--enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=duplicateAssignExpression \
	-DPENSTOCK_VERSION='"$(VERSION)"'

.PHONY: lint-cppcheck
lint-cppcheck:
	@echo cppcheck
	@$(cppcheck) -Iconsumer $(lint_sources) $(lint_test_sources)
	@$(cppcheck) -Iplugin -DPG_VERSION_NUM=150000 -DPG_MODULE_MAGIC= \
		'-Dforeach(cell, list)=for (;;)' $(lint_plugin_sources)

.PHONY: lint-tidy
lint-tidy: $(PROTO_DIR)/penstock.pb-c.h
	@test/tools/tidy '$(CLANG_TIDY)' $(lint_sources) $(lint_test_sources) -- \
		-std=gnu11 $(CONSUMER_CPPFLAGS) -Itest/unit
	@test/tools/tidy '$(CLANG_TIDY)' $(lint_plugin_sources) -- \
		-std=gnu11 $(plugin_cppflags)
