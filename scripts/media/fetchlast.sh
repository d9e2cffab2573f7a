# media/fetchlast (source): the last files of the way back, after nginx has turned back; see media/fetch.
# shellcheck shell=bash
# Extra settings: SHARE_PASSWORD
. "$scripts/media/fetch.sh"

came_home() { drop_file "$away"; }
