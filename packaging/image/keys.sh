#!/usr/bin/env bash
# Make the keys that sign update bundles, once: usage keys.sh FOLDER
#   root.pem     goes into every image (the only thing a terminal believes)       root.key     stays off line, signs signers
#   release.pem  goes into every bundle                                           release.key  signs bundles, on the release machine
# For a district the root key is made on a machine without a line and kept in a drawer; this makes both in one folder, which is
# right for development. Nothing in this folder may be lost: terminals take no update that these keys did not sign.
set -euo pipefail
folder=$(realpath -m "$1")
if [ -s "$folder/root.pem" ] && [ -s "$folder/release.pem" ]; then exit 0; fi
if [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then echo "keys.sh: $folder is neither empty nor complete" >&2; exit 1; fi

umask 077
mkdir -p "$(dirname "$folder")"
new=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$new"' EXIT
cd "$new"
openssl ecparam -name prime256v1 -genkey -noout -out root.key
openssl req -x509 -new -key root.key -sha256 -days 7300 -subj "/O=village-point/CN=Update root" -out root.pem \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign
openssl ecparam -name prime256v1 -genkey -noout -out release.key
openssl req -new -key release.key -subj "/O=village-point/CN=Release signer" -out release.csr
printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
    extendedKeyUsage=codeSigning,emailProtection >release.ext
openssl x509 -req -in release.csr -CA root.pem -CAkey root.key -CAcreateserial -days 3650 -sha256 -out release.pem \
    -extfile release.ext 2>/dev/null
rm -f release.csr release.ext
cd /
rmdir "$folder" 2>/dev/null || true
mv "$new" "$folder"
trap - EXIT
echo "  keys      new keys for update bundles in $folder: keep it safe"
