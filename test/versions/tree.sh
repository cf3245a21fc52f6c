# Trees: a Debian release each, with its PostgreSQL, in a directory.
#
# To be sourced, by run.  A tree is made once and then used again; it holds
# nothing of ours but what mount_tree() mounts and fill_tree() copies, and the
# mounts end with the namespace that run lives in.
#
#     $trees      the directory of the trees
#     $update     if not empty, bring a tree that is there up to date
#     $work       a directory in /tmp, which is the same one in each tree
#     $log        where programs that have much to say may say it

# In which release's tree which server is.
declare -A release=([13]=bullseye [15]=bookworm [17]=trixie [18]=forky [19]=sid
	[14]=bookworm [16]=bookworm)

# Those that the release does not ship: tested if somebody has put one there.
unshipped=(14 16)

# A server that is not in its release yet is in one that goes on top of that.
declare -A overlay=([sid]=experimental)

# "Debian" or "Debian-Security": where this machine's apt gets it from, by HTTP.
mirror_of()
{
	local uri

	uri=$({ apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" || true; } |
		sed -nE "s,^$1 (http://.*[^/])/*\$,\\1,p" | sort -u | sed -n 1p)
	if [ -z "$uri" ]; then
		echo "apt's sources name no mirror of $1 by HTTP" >&2
		return 1
	fi
	echo "$uri"
}

has_suite()
{
	wget --quiet --tries=2 --timeout=20 --output-document=/dev/null \
		"$1/dists/$2/InRelease"
}

# The mirror, if it has this suite: old ones leave the mirrors, and are then to
# be had from one of the archive's, which apt's sources can name.
mirror_with()
{
	if ! has_suite "$@"; then
		echo "$1 does not have $2" >&2
		return 1
	fi
	echo "$1"
}

# As this machine's apt is told; a file of apt's settings.
apt_settings()
{
	local check_valid_until=

	eval "$(apt-config shell check_valid_until \
		Acquire::Check-Valid-Until)"
	echo 'APT::Install-Recommends "false";'
	echo 'Acquire::Languages "none";'
	[ -z "$check_valid_until" ] ||
		echo "Acquire::Check-Valid-Until \"$check_valid_until\";"
}

apt_sources()
{
	local suite=$1 mirror=$2 options='' security

	# What is archived is not signed anew.
	case "$suite" in
		bullseye) options='[check-valid-until=no] ' ;;
	esac
	echo "deb $options$mirror $suite main"
	[ -z "${overlay[$suite]:-}" ] ||
		echo "deb $options$mirror ${overlay[$suite]} main"
	# A release that is not out yet may have none.
	security=$(mirror_of Debian-Security 2>/dev/null) || return 0
	if has_suite "$security" "$suite-security"; then
		echo "deb $options$security $suite-security main"
	fi
}

is_shipped()
{
	case " ${unshipped[*]} " in
		*" $1 "*) return 1 ;;
	esac
}

# Whether a server is in its tree.
is_there()
{
	[ -x "$trees/${release[$1]}/usr/lib/postgresql/$1/bin/postgres" ]
}

# From an overlay nothing is taken but what is made of the server's source.
apt_preferences()
{
	local major=$1
	local from=${overlay[${release[$major]}]:-}

	[ -z "$from" ] || printf '%s\n' "Package: src:postgresql-$major" \
		"Pin: release a=$from" 'Pin-Priority: 600'
}

# Run a command in a tree, as root.
in_tree()
{
	local major=$1
	shift

	chroot "$trees/${release[$major]}" /usr/bin/env --unset=TMPDIR LC_ALL=C \
		DEBIAN_FRONTEND=noninteractive HOME=/root \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Run a command in a tree, as the user that runs servers there.
as_postgres()
{
	local major=$1
	shift

	chroot --userspec=postgres:postgres "$trees/${release[$major]}" \
		/usr/bin/env --unset=TMPDIR LC_ALL=C HOME=/tmp \
		PATH="/usr/lib/postgresql/$major/bin:/usr/bin:/bin" "$@"
}

bootstrap_tree()
{
	local suite=$1 mirror=$2
	local script=/usr/share/debootstrap/scripts/$suite

	# This debootstrap may be older than the release.
	[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
	debootstrap --variant=minbase "$suite" "$trees/$suite" "$mirror" "$script"
}

# The security archive of a release past its end does not keep everything in
# reach; headers of any minor version will do.
install_headers()
{
	local major=$1
	local package=postgresql-server-dev-$major

	in_tree "$major" apt-get --yes install "$package" || {
		in_tree "$major" apt-get --yes install \
			"$package/${release[$major]}" &&
			in_tree "$major" apt-mark hold "$package"
	}
}

# Beside the server; more of them have come to be needed over time.
packages=(gcc libc6-dev libjansson-dev libmicrohttpd-dev libprotobuf-c-dev
	libzstd-dev make pkg-config protobuf-c-compiler)

install_packages()
{
	local major=$1
	local tree=$trees/${release[$major]}

	# No cluster is made, and nothing that is installed starts.
	mkdir -p "$tree/etc/postgresql-common"
	echo 'create_main_cluster = false' \
		>"$tree/etc/postgresql-common/createcluster.conf"
	printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
	chmod 755 "$tree/usr/sbin/policy-rc.d"

	in_tree "$major" apt-get update &&
		in_tree "$major" apt-get --yes upgrade &&
		in_tree "$major" apt-get --yes install "${packages[@]}" || return
	if is_shipped "$major"; then
		in_tree "$major" apt-get --yes install "postgresql-$major" &&
			install_headers "$major" || return
	fi
	in_tree "$major" apt-get clean || return
	echo "${packages[*]}" >"$tree/complete"
}

# Whether a tree has been made, and has what is needed by now.
is_complete()
{
	[ "$(cat "$1/complete" 2>/dev/null)" = "${packages[*]}" ]
}

make_tree()
{
	local major=$1
	local suite=${release[$major]} mirror
	local tree=$trees/$suite

	mkdir -p "$tree"
	rm -rf --one-file-system "$tree"
	# A tree that is not complete is made anew: dpkg need not wait for the disk.
	mkdir -p "$tree/etc/dpkg/dpkg.cfg.d"
	echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/penstock"
	mirror=$(mirror_of Debian) || return
	mirror=$(mirror_with "$mirror" "$suite") || return
	bootstrap_tree "$suite" "$mirror" || return
	apt_settings >"$tree/etc/apt/apt.conf.d/99penstock"
	apt_sources "$suite" "$mirror" >"$tree/etc/apt/sources.list"
	apt_preferences "$major" >"$tree/etc/apt/preferences.d/penstock"
	mount_tree "$major"
	install_packages "$major"
}

mount_tree()
{
	local tree=$trees/${release[$1]}

	# A tree may have several servers.
	! mountpoint --quiet "$tree/tmp" || return 0
	mkdir -p "$tree/dev/shm" "$tree/dev/pts"
	mount -t proc proc "$tree/proc"
	mount -t devpts devpts "$tree/dev/pts"
	mount -t tmpfs tmpfs "$tree/dev/shm"
	# What tests make has the same name everywhere.
	mount --bind /tmp "$tree/tmp"
}

# Make a tree, or take the one that is there.
provide_tree()
{
	local major=$1
	local suite=${release[$major]}

	if [ ! -e "$trees/$suite/complete" ]; then
		note "making a tree of Debian \"$suite\" with PostgreSQL $major in" \
			"\"$trees/$suite\"; this downloads some 300 MB"
		make_tree "$major" >"$log/tree_$major.log" 2>&1 || {
			tail -n 20 "$log/tree_$major.log" >&2
			give_up "could not make the tree; see \"$log/tree_$major.log\""
		}
		return
	fi
	mount_tree "$major"
	if [ -z "$update" ] && is_complete "$trees/$suite"; then
		return
	fi
	note "updating the tree of Debian \"$suite\""
	cp /etc/resolv.conf "$trees/$suite/etc/resolv.conf"
	install_packages "$major" >"$log/tree_$major.log" 2>&1 ||
		give_up "could not update the tree; see \"$log/tree_$major.log\""
}

# What there is to build and test in a tree, without what was built elsewhere.
fill_tree()
{
	local tree=$trees/${release[$1]}

	rm -rf "$tree/penstock"
	mkdir "$tree/penstock"
	tar --create --directory="$top" --exclude='*.o' --exclude='*.so' \
		--exclude='*.bc' Makefile plugin proto regress |
		tar --extract --directory="$tree/penstock" --no-same-owner
}
