#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make image_samples.def anew after a change of the sample kernel: ours packed by the real programs.
#   tests/data/image_samples.sh out/host/tests/image_test > tests/data/image_samples.def.new
# Needs gzip bzip2 xz-utils lzop lz4 zstd. The options are those of Linux' kernel build where it gives any.
set -eu
elf=$(mktemp)
trap 'rm -f "$elf"' EXIT
"$1" --write-sample "$elf"

row() {   # NAME COMMAND...
    name=$1; shift
    printf 'PACKED(%s,\n' "$name"
    "$@" < "$elf" | od -An -v -tx1 -w16 | sed 's/ \(..\)/ 0x\1,/g; s/^/   /' | sed '$s/,$//'
    printf ')\n'
}

echo '/* SPDX-License-Identifier: BSD-2-Clause */'
echo '/* Made by image_samples.sh: PACKED(compression, bytes). */'
row gzip gzip -n -9
row bzip2 bzip2 -9
row lzma xz --format=lzma -6
row xz xz --check=crc32 --x86 --lzma2=dict=1MiB
row lzo lzop -9
row lz4 lz4 -l -9
row zstd zstd -19
