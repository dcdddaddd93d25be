#!/usr/bin/env bash
# Install what building and testing need and is missing, on Debian 12; `deps.sh lint`: what `make lint`
# needs. Says what it does; does nothing when all is there. Needs root (or sudo) only when something is
# missing.
set -euo pipefail
want=(gcc make pkg-config libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libsqlite3-dev zlib1g-dev
      libssl-dev libjansson-dev libcmocka-dev libcairo2-dev libpango1.0-dev libqrencode-dev libzint-dev
      fonts-wqy-microhei poppler-utils spin openssl)
command -v node >/dev/null || want+=(nodejs)
command -v npm >/dev/null || want+=(npm)
command -v chromium >/dev/null || want+=(chromium)
[ "${1:-}" = lint ] && want=(clang-format cppcheck shellcheck)

missing=()
for p in "${want[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "these Debian packages are missing and this is not root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    run=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -qq
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
