#!/usr/bin/awk -f
# Reads dumpe2fs, writes debugfs commands that set the change and access time of every inode in use to `time`.
# A group's line "Free inodes: 12, 20-8192" tells which are not in use; inodes 1 to 10 are the file system's own, but 2.
function used(from, to,    inode) {
    for (inode = from; inode <= to; inode++)
        if (inode == 2 || inode > 10) {
            printf "set_inode_field <%d> ctime @%d\n", inode, time
            printf "set_inode_field <%d> atime @%d\n", inode, time
        }
}
/^ *Free inodes: / {
    sub(/^ *Free inodes: */, "")
    count = split($0, ranges, /, */)
    for (i = 1; i <= count; i++)
        if (ranges[i] != "") {
            split(ranges[i], ends, "-")
            used(next_one, ends[1] - 1)
            next_one = (ends[2] == "" ? ends[1] : ends[2]) + 1
        }
}
BEGIN { next_one = 1 }
END { used(next_one, inodes) }
