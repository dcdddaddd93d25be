#!/usr/bin/env bash
# Print C that holds FILE byte for byte under NAME, with NAME_len. usage: embed-text.sh NAME FILE
set -euo pipefail
echo "/* made from $2 by scripts/embed-text.sh */"
echo '#include <stddef.h>'
echo "extern const unsigned char $1[];"
echo "extern const size_t $1_len;"
echo "const unsigned char $1[] = {"
od -An -v -tu1 "$2" | sed -E 's/ +/,/g; s/^,//; s/$/,/'
echo '};'
echo "const size_t $1_len = sizeof $1;"
