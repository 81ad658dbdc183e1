# SPDX-License-Identifier: BSD-2-Clause
# The three domUs of `make run`: web, left and right, each with a disk, a network card and a console.

# demo_config NAME ADDRESS [LINE...] - writes /etc/NAME.cfg, in xl.cfg(5) form
demo_config() {
    name=$1 addr=$2; shift 2
    mkdir -p /var/lib/hauch
    truncate -s 16M "/var/lib/hauch/$name.img"
    cat >"/etc/$name.cfg" <<EOF
name = '$name'
type = 'pv'
memory = 128
vcpus = 1
kernel = '/boot/vmlinuz'
ramdisk = '/boot/domu.cpio'
extra = 'console=hvc0 quiet name=$name addr=$addr ${DOMU_ARGS:-}'
disk = ['format=raw,vdev=xvda,access=rw,target=/var/lib/hauch/$name.img']
vif = ['mac=00:16:3e:09:00:${addr##*.},bridge=xenbr0']
EOF
    for line; do echo "$line" >>"/etc/$name.cfg"; done
}
demo_create() {
    demo_config web 10.9.0.11; demo_config left 10.9.0.12; demo_config right 10.9.0.13
    for name in web left right; do
        mark create $name
        $TOOL create /etc/$name.cfg || { tools_log; echo "dom0: $TOOL create $name failed"; return 1; }
    done
    mark created
}
