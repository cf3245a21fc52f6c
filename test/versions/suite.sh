# End-to-end tests of test/t with servers of other versions.
#
# To be sourced, by run.  The tests, this machine's Perl and its consumer run
# outside of the trees; what they call of a server, "initdb" and all that comes
# with it, is a wrapper that enters the tree.  So who runs them may use chroot,
# and each tree has this machine's /tmp and users.

# Those about what depends on the version: sequences, schema changes and how
# they are followed, and the promotion of a target.
SUITE=(048 052 056 060 084 085 086 087 088 090 091 092 093 098 100 101 102 103)
# Across versions: those with a source and a target.
SUITE_ACROSS=(048 084 087 088 092 093 104)
SUITE_JOBS=3

# The user that runs servers here is the one that does in the trees.
share_users()
{
	local file tree=$trees/${release[$1]}

	for file in passwd group; do
		mountpoint --quiet "$tree/etc/$file" ||
			mount --bind "/etc/$file" "$tree/etc/$file" || return
	done
}

# Programs of a server, to be called from outside, and the plugin.
make_place()
{
	local major=$1 place=$work/place$1 program
	local tree=$trees/${release[$major]}
	local programs=/usr/lib/postgresql/$major/bin

	mkdir -p "$place/bin" "$place/lib"
	cp "$tree/penstock/build/pg$major/penstock.so" "$place/lib/"
	for program in "$tree$programs"/*; do
		program=${program##*/}
		cat >"$place/bin/$program" <<-END
			#!/bin/sh
			exec /usr/sbin/chroot '$tree' /usr/bin/env --chdir="\$PWD" \\
				$programs/$program "\$@"
		END
		chmod 755 "$place/bin/$program"
	done
}

# suite_files NUMBER...
suite_files()
{
	local number

	cd "$top"
	for number in "$@"; do
		printf '%s\n' "test/t/${number}_"*.t
	done
}

# Of source and target, the newer one's programs are those to use.
run_suite()
{
	local source=$1 target=$2 newest=$1
	shift 2

	[ "$target" -lt "$source" ] || newest=$target
	# shellcheck disable=SC2016
	PENSTOCK_SOURCE_SERVER=$work/place$source \
		PENSTOCK_TARGET_SERVER=$work/place$target \
		PENSTOCK_PROGRAMS=$work/place$newest/bin \
		"$top/test/soak/place" \
		--faults="$(dirname "$penstock")/faults/penstock" \
		"$top/test/stage" --may-chroot --penstock="$penstock" \
		--with="$(dirname "$penstock")/tools" \
		--logs="$log/suite_${source}_$target" \
		sh -c 'PATH=$PENSTOCK_PROGRAMS:$PATH exec "$@"' sh \
		env HARNESS_RULESFILE=test/t/testrules.yml \
		prove --exec test/tools/apart --jobs="$SUITE_JOBS" "$@"
}

# test_suite SOURCE TARGET: two major versions, which may be the same.
test_suite()
{
	local source=$1 target=$2
	local words=$log/suite_${source}_$target.log
	local title="${version[$source]} to ${version[$target]}: end-to-end tests"
	local numbers=("${SUITE[@]}") files

	[ "$source" = "$target" ] || numbers=("${SUITE_ACROSS[@]}")
	[ -z "$tests" ] || IFS=, read -ra numbers <<<"$tests"
	mapfile -t files < <(suite_files "${numbers[@]}")
	if run_suite "$source" "$target" "${files[@]}" >"$words" 2>&1; then
		passed "$title ($(sed -n 's/^Files=/files: /p' "$words" |
			sed 's/ wallclock.*//'))"
	else
		failed "$title" "$words"
	fi
}
