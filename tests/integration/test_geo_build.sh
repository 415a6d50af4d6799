#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demonstration database in the tree is what tools/geo-build makes of the list in the tree; a wrong list is named.
set -eu
cd "$(dirname "$0")/../.."
perl -MMaxMind::DB::Writer::Tree -e 1 2>/dev/null || { echo 'skipped: libmaxmind-db-writer-perl is not installed'; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

tools/geo-build rules/lists/demo-geo.txt "$scratch/demo.mmdb"
cmp "$scratch/demo.mmdb" tests/pcaps/demo-geo.mmdb

printf '192.0.2.0/24 NL 64499 Example\n192.0.2.0/24 Netherlands - -\n' >"$scratch/list"
if tools/geo-build "$scratch/list" "$scratch/bad.mmdb" 2>"$scratch/err"; then
    echo 'a wrong list was taken'
    exit 1
fi
grep -q "list:2: expected PREFIX COUNTRY AS-NUMBER AS-NAME" "$scratch/err"
test ! -e "$scratch/bad.mmdb"
