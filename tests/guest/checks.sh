# The checks, each a function `check_NAME`, run in the guest with $A and $B: the same share by two mounts, each a client
# of its own. A check works in the folder `$name` of the share, prints what is wrong and returns 1.
# shellcheck shell=bash

wrong() { echo "$*"; exit 1; }
same() { [ "$1" = "$2" ] || wrong "$3: \`$1\`, should be \`$2\`"; }
sum() { sha256sum < "$1" | cut -c1-16; }
# Retries for as long as the client may keep attributes (actimeo is 1 s), and a little.
soon() { for _ in 1 2 3 4 5 6 7 8; do "$@" && return 0; sleep 0.3; done; return 1; }
two() { "$TOOLS/two_mounts" "$1" "$a" "$b" "${@:2}"; }

check_copy() { # written by one, read by the other, twice
    head -c 3000000 /dev/urandom > /tmp/copied
    cp /tmp/copied "$a/copied"
    same "$(sum "$b/copied")" "$(sum /tmp/copied)" "3 MB, by the other mount"
    head -c 70001 /dev/urandom > /tmp/copied; cp /tmp/copied "$b/copied"
    same "$(sum "$a/copied")" "$(sum /tmp/copied)" "overwritten by the other mount, read by the first"
    dd if="$a/copied" of="$b/second" bs=1000 status=none
    same "$(sum "$a/second")" "$(sum /tmp/copied)" "copied from one mount to the other"
    : > "$a/empty"; same "$(stat -c %s "$b/empty")" 0 "an empty file"
}
check_random() { two random "$seed" 400; }
check_random2() { two random2 "$seed" 400; }
check_seen() { two seen; }
check_fcntl() { two fcntl; }
check_flock() { two flock; }
check_append() { two append 15; }
check_count() {
    two count 25 > /tmp/counted 2>&1 && return
    # With oplocks the client may read its cache after the break that ends it: a step is lost in one of twelve runs.
    [ "$dialect" = 2.0 ] && grep -q '^counted' /tmp/counted && { sed 's/^/# /' /tmp/counted; return; }
    cat /tmp/counted; return 1
}
check_storm() { two storm 150; }
check_notify() { two notify; }
check_while_open() { two while_open; }

check_fio() {
    fio --name=verified --directory="$a" --size=2m --bs=16k --rw=randwrite --verify=crc32c --verify_fatal=1 --do_verify=1 \
        --ioengine=psync --end_fsync=1 --invalidate=1 --thread --output=/tmp/fio.out --minimal || { tail -20 /tmp/fio.out; return 1; }
}
check_fio_mapped() {
    fio --name=mapped --directory="$a" --size=1m --bs=4k --rw=randrw --verify=crc32c --verify_fatal=1 --ioengine=mmap --thread \
        --output=/tmp/fio.out --minimal || { tail -20 /tmp/fio.out; return 1; }
}

check_git() {
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_COUNT=2
    export GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' GIT_CONFIG_KEY_1=gc.auto GIT_CONFIG_VALUE_1=0
    rm -rf /tmp/origin; git init -q --bare -b main /tmp/origin
    for i in $(seq 8); do
        printf 'commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 2\nc%d\n' $((1700000000 + i)) "$i"
        for j in 1 2 3 4; do printf 'M 100644 inline dir%d/file%d\ndata <<E\n%s\nE\n' "$j" "$i" "$(seq "$i" $((i * 20)))"; done
    done | git -C /tmp/origin fast-import --quiet
    git clone -q --no-hardlinks --no-local /tmp/origin "$a/clone" || wrong "git clone"
    same "$(git -C "$b/clone" status --porcelain)" "" "git status by the other mount"
    (cd "$b/clone" && seq 99 > new && git add new && git commit -q -m new) || wrong "git commit by the other mount"
    git -C "$a/clone" gc -q || wrong "git gc"
    git -C "$a/clone" fsck --strict 2>&1 || wrong "git fsck"
    same "$(git -C "$b/clone" log --oneline | wc -l)" 9 "commits, by the other mount"
    same "$(git -C "$b/clone" diff --stat HEAD)" "" "git diff by the other mount"
    rm -rf "$a/clone" || wrong "rm -rf of the clone"
}

# SQLite turns a shared lock of a range into an exclusive one, which SMB's locks do not do and the client does not
# hide ("database is locked" for a single writer, by any server). So its locks are folders here; the file that both
# write, and what each has of it in its cache, is the same.
check_sqlite() {
    sqlite3 -vfs unix-dotfile "$a/data.db" 'create table t (who, n);' || wrong "create table"
    for who in a b; do
        { echo '.timeout 40000'; for n in $(seq 12); do echo "begin immediate; insert into t values ('$who', $n); commit;"; done; } > /tmp/in.$who
    done
    sqlite3 -vfs unix-dotfile -bail "$a/data.db" < /tmp/in.a > /tmp/out.a 2>&1 & local one=$!
    sqlite3 -vfs unix-dotfile -bail "$b/data.db" < /tmp/in.b > /tmp/out.b 2>&1 & local two=$!
    wait $one || wrong "the first writer: $(tail -2 /tmp/out.a)"
    wait $two || wrong "the second writer: $(tail -2 /tmp/out.b)"
    same "$(sqlite3 -vfs unix-dotfile "$a/data.db" "select who, count(*) from t group by who" | tr '\n' ' ')" "a|12 b|12 " "rows"
    same "$(sqlite3 -vfs unix-dotfile "$b/data.db" 'pragma integrity_check')" ok "integrity_check by the other mount"
}

# With locks of the server: the VFS unix-excl takes an exclusive lock at once and keeps it while the database is open, so
# it never turns a shared one into it. A process for each transaction, and they wait for each other.
check_sqlite_locks() {
    sqlite3 -vfs unix-excl "$a/data.db" 'create table t (who, n);' || wrong "create table"
    write() {
        for n in $(seq 6); do
            sqlite3 -vfs unix-excl -bail -cmd '.timeout 40000' "$2/data.db" "begin immediate; insert into t values ('$1', $n); commit;" || return
        done
    }
    write a "$a" > /tmp/out.a 2>&1 & local one=$!
    write b "$b" > /tmp/out.b 2>&1 & local two=$!
    wait $one || wrong "the first writer: $(tail -2 /tmp/out.a)"
    wait $two || wrong "the second writer: $(tail -2 /tmp/out.b)"
    same "$(sqlite3 -vfs unix-excl "$a/data.db" "select who, count(*) from t group by who" | tr '\n' ' ')" "a|6 b|6 " "rows"
    same "$(sqlite3 -vfs unix-excl "$b/data.db" 'pragma integrity_check')" ok "integrity_check by the other mount"
}

check_listing() { # 400 files made and removed while the other lists
    ( for i in $(seq 400); do : > "$a/file $i"; done; : > /tmp/made ) & local maker=$!
    rm -f /tmp/made; local listings=0
    while [ ! -e /tmp/made ]; do
        ls "$b" > /tmp/names || wrong "ls while files are made"
        same "$(sort /tmp/names | uniq -d)" "" "names listed twice"
        listings=$((listings + 1))
    done
    wait $maker
    soon same_count 400 || wrong "$(ls "$b" | wc -l) names by the other mount instead of 400"
    ( rm "$a"/file*; : > /tmp/removed ) & maker=$!
    rm -f /tmp/removed
    while [ ! -e /tmp/removed ] && kill -0 $maker 2>/dev/null; do ls "$b" > /dev/null || wrong "ls while files are removed"; done
    wait $maker || wrong "rm"
    soon same_count 0 || wrong "$(ls "$b" | wc -l) names by the other mount instead of none"
    echo "# $listings listings meanwhile"
}
same_count() { [ "$(ls "$b" | wc -l)" = "$1" ]; }

check_folders() {
    mkdir -p "$a/one/two/three" && : > "$a/one/two/three/file" || wrong "mkdir -p"
    [ -e "$b/one/two/three/file" ] || wrong "not seen by the other mount"
    mkdir "$a/one" 2>/dev/null && wrong "mkdir of a folder that exists"
    rmdir "$a/one/two" 2>/tmp/error && wrong "rmdir of a folder that is not empty"
    grep -q 'not empty' /tmp/error || wrong "rmdir of a folder that is not empty: $(cat /tmp/error)"
    mv "$a/one/two" "$a/moved" || wrong "rename of a folder"
    [ -e "$b/moved/three/file" ] || wrong "a renamed folder by the other mount"
    mkdir "$a/onto"; mv -T "$a/moved/three" "$a/onto" 2>/dev/null; [ -e "$a/onto/file" ] || echo "# rename over an empty folder is refused"
    (cd "$b/moved" && mv "$b/moved" "$b/again") || wrong "rename of a folder that is somebody's"
    rm -r "$a/again" "$a/one" || wrong "rm -r"
    soon gone "$b/again" || wrong "a removed folder is still there by the other mount"
}
gone() { [ ! -e "$1" ]; }

check_links() {
    echo contents > "$a/first"; ln "$a/first" "$a/second" || wrong "ln"
    same "$(cat "$b/second")" contents "by the other name"
    same "$(stat -c %h "$a/second")" 2 "number of links"
    echo more >> "$b/second"; same "$(tail -1 "$a/first")" more "written by the other name, by the other mount"
    same "$(stat -c %i "$a/first")" "$(stat -c %i "$a/second")" "inode numbers"
    ln "$a/first" "$a/second" 2>/dev/null && wrong "ln over an existing name"
    rm "$a/first"; same "$(cat "$b/second" | wc -l)" 2 "the other name after rm of the first"
}

check_fallocate() {
    head -c 200000 /dev/urandom > /tmp/holes; cp /tmp/holes "$a/holes"
    for arguments in "--punch-hole --keep-size -o 20000 -l 70000" "--punch-hole --keep-size -o 4096 -l 4096" "-o 150000 -l 90000" \
        "--keep-size -o 300000 -l 65536" "--zero-range -o 100000 -l 1000" "--punch-hole --keep-size -o 230000 -l 100000"; do
        # shellcheck disable=SC2086
        fallocate $arguments "$a/holes" 2>/tmp/error || {
            # The client has no fallocate below 3.0.
            [ "${dialect%%.*}" = 2 ] || wrong "fallocate $arguments: $(cat /tmp/error)"
            echo "# $(cat /tmp/error)"; continue
        }
        # shellcheck disable=SC2086
        case $arguments in # not every file system has it
            --zero*) dd if=/dev/zero of=/tmp/holes bs=1000 seek=100 count=1 conv=notrunc status=none ;;
            *) fallocate $arguments /tmp/holes ;;
        esac
        same "$(stat -c %s "$a/holes")" "$(stat -c %s /tmp/holes)" "length after fallocate $arguments"
        cmp "$b/holes" /tmp/holes || wrong "contents after fallocate $arguments"
    done
    truncate -s 5000000 "$a/sparse"; same "$(stat -c %s "$b/sparse")" 5000000 "length of a sparse file"
    same "$(tr -d '\0' < "$b/sparse" | wc -c)" 0 "zeros of a sparse file"
}

check_times() {
    : > "$a/t"
    for date in "1970-01-02 00:00:00" "1999-12-31 23:59:59" "2038-02-01 12:00:00" "2025-06-01 10:11:12.1234567"; do
        touch -d "$date" "$a/t" || wrong "touch -d $date"
        same "$(stat -c %Y "$a/t")" "$(date -d "$date" +%s)" "mtime $date"
        sleep 1.1; same "$(stat -c %Y "$b/t")" "$(date -d "$date" +%s)" "mtime $date by the other mount"
    done
    # The client shows no time of access before that of writing.
    touch -a -d "2031-02-03 04:05:06" "$a/t"; sleep 1.1
    same "$(stat -c %Y "$b/t")" "$(date -d "2025-06-01 10:11:12" +%s)" "mtime after touch -a"
    same "$(stat -c %X "$b/t")" "$(date -d "2031-02-03 04:05:06" +%s)" "atime after touch -a"
    # The client writes by a handle that it has kept for a second, and by which it has set a time. That time stays
    # then ([MS-FSA] UserSetModificationTime).
    touch -d "2001-02-03" "$a/t"; sleep 1.6; echo x >> "$a/t"; sleep 1.1
    [ "$(stat -c %Y "$b/t")" -gt 1700000000 ] || wrong "mtime after a write, by the other mount: $(stat -c %y "$b/t")"
    # One keeps it open and writes: the other learns that it is newer.
    touch -d "2001-02-03" "$a/t"; stat "$b/t" > /dev/null; sleep 1.6
    exec 5>>"$a/t"; echo y >&5; sleep 1.1
    [ "$(stat -c %Y "$b/t")" -gt 1700000000 ] || { sleep 2; [ "$(stat -c %Y "$b/t")" -gt 1700000000 ] && echo "# mtime 2 s late"; } || echo "# mtime of an open file that was written: $(stat -c %y "$b/t") (in the client's cache)"
    exec 5>&-; sleep 1.1
    [ "$(stat -c %Y "$b/t")" -gt 1700000000 ] || wrong "mtime after a write and close, by the other mount: $(stat -c %y "$b/t")"
    mkdir "$a/d"; touch -d "2010-01-01" "$a/d"; same "$(stat -c %Y "$a/d")" "$(date -d 2010-01-01 +%s)" "mtime of a folder"
}

check_names() {
    local long; long=$(printf 'n%.0s' $(seq 255))
    for name in "$long" "ünïcödé Ωμέγα 漢字 🎉" "with space" "UPPER lower" "colon:star*question?quote\"less<greater>bar|" \
        "trailing dot." "trailing space " ".hidden" "a=b;c,d'e"; do
        echo "$name" > "$a/$name" || wrong "create \`$name\`"
        same "$(cat "$b/$name")" "$name" "by the other mount"
    done
    same "$(ls -A "$b" | sort | sha256sum)" "$(ls -A "$a" | sort | sha256sum)" "listings"
    ls -A "$b" | grep -qF 'ünïcödé Ωμέγα 漢字 🎉' || wrong "the name in many scripts is not listed"
    ls -A "$b" | grep -qF 'colon:star*question?' || wrong "the name with reserved characters is not listed"
    touch "$a/${long}x" 2>/tmp/error && wrong "256 characters"
    grep -q 'too long' /tmp/error || wrong "256 characters: $(cat /tmp/error)"
    mv "$a/ünïcödé Ωμέγα 漢字 🎉" "$a/Ünïcödé"; same "$(cat "$b/Ünïcödé")" "ünïcödé Ωμέγα 漢字 🎉" "renamed"
    local deep=$a; for _ in $(seq 12); do deep+=/$(printf 'd%.0s' $(seq 70)); done
    mkdir -p "$deep" && : > "$deep/file" || wrong "a path of ${#deep} characters"
    [ -e "$b${deep#"$a"}/file" ] || wrong "a long path by the other mount"
    rm -r "$a"/* "$a"/.hidden || wrong "rm"
}

check_statfs() {
    local size free
    read -r size free <<< "$(stat -f -c '%b %f %S' "$A" | awk '{ print int($1 * $3 / 1048576), int($2 * $3 / 1048576) }')"
    [ "$size" -gt 0 ] && [ "$free" -gt 0 ] && [ "$free" -le "$size" ] || wrong "$free of $size MiB free"
    same "$(stat -f -c %l "$A")" 255 "longest name"
    df "$A" > /dev/null || wrong df
}

check_modes() { # no modes on this share but READONLY
    echo x > "$a/m"; chmod 444 "$a/m" || wrong "chmod 444"
    rm -f "$a/m" || wrong "rm of a read-only file"
    # The client asks for nothing while it does not know that the file has become read-only: up to two seconds.
    echo x > "$a/m"; chmod 444 "$a/m"; sleep 2.2; chmod 644 "$a/m" || wrong "chmod 644"
    sleep 1.1; echo y >> "$b/m" || wrong "write after chmod 644"
    same "$(wc -l < "$a/m")" 2 "lines after chmod 644"
    chmod 400 "$a/m"; mv "$a/m" "$a/m2" || wrong "rename of a read-only file"
    echo z > "$a/over"; chmod 444 "$a/over"; mv -f "$a/m2" "$a/over" || wrong "rename over a read-only file"
    rm -f "$a/over" || wrong "rm of both"
    install -m 755 /bin/true "$a/program" && "$b/program" || wrong "a program run from the share"
}

check_symlinks() { # mount option mfsymlinks: a file that the client takes for a link
    echo contents > "$a/target"
    ln -s target "$a/link" || wrong "ln -s"
    same "$(readlink "$b/link")" target "readlink by the other mount"
    same "$(cat "$b/link")" contents "read through the link"
    ln -s nowhere "$a/dangling"; [ -e "$b/dangling" ] && wrong "a link to nothing exists"
    rm "$a/link" || wrong "rm of a link"; same "$(cat "$b/target")" contents "the target after rm of the link"
}

check_exclusive() { # O_EXCL, as lock files are made: exactly one of two wins
    local wins=0
    for i in 1 2 3 4 5 6; do
        (set -C; { : > "$a/lock$i"; } 2>/dev/null) & local one=$!
        (set -C; { : > "$b/lock$i"; } 2>/dev/null) & local two=$!
        wait $one && wins=$((wins + 1)); wait $two && wins=$((wins + 1))
    done
    same $wins 6 "winners of 6 races"
}

check_copy_range() { # within one mount: the server may copy
    head -c 500000 /dev/urandom > "$a/source"
    cp --reflink=never "$a/source" "$a/copy" || wrong cp
    cmp "$b/source" "$b/copy" || wrong "the copy differs"
}
