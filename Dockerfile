# Images of oddlink; docs/containers.md says how they are built, pinned and checked.
#
#   docker build -t oddlink .                                   all commands: worker, trainer on the CPU, canary, topics ...
#   docker build -t oddlink-gpu --target trainer-gpu .          the same, with TensorFlow.js for a GPU (amd64)
#
# Base images are arguments, so that a digest can be given: --build-arg NODE_IMAGE=node@sha256:...
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
# TensorFlow 2.9, which tfjs-node-gpu 4.22 brings, wants CUDA 11 and cuDNN 8; of them 11.8 knows the newest cards.
ARG CUDA_IMAGE=nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/oddlink
COPY package.json package-lock.json .npmrc ./
# No script of a dependency runs while it is installed.
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.ts
# What is named in devDependencies would be missing in the bill of materials, or fail it, even where something else needs it too.
RUN npm prune --omit=dev --ignore-scripts \
  && find node_modules -type d -empty -delete \
  && npm pkg delete devDependencies \
  && npm sbom --sbom-format=cyclonedx --sbom-type=application --omit=dev > /tmp/sbom.json \
  && node deploy/image/stable-sbom.mjs /tmp/sbom.json > sbom.cdx.json

# TensorFlow.js lies one folder above oddlink, where Node looks next.
FROM ${NODE_IMAGE} AS tensorflow
WORKDIR /opt
COPY deploy/image/gpu/package.json deploy/image/gpu/package-lock.json ./
# Its script is the one that runs: it fetches libtensorflow and the binding from storage.googleapis.com, and checks no digest of them.
RUN npm ci --ignore-scripts && npm rebuild --ignore-scripts=false @tensorflow/tfjs-node-gpu
# Digests of what it fetched. With this argument a build ends if they are others: see docs/containers.md.
ARG TENSORFLOW_SHA256=""
RUN find node_modules/@tensorflow/tfjs-node-gpu -type f \( -name 'libtensorflow*.so*' -o -name '*.node' \) -exec sha256sum {} + > /tmp/fetched \
  && sort -k2 /tmp/fetched > tensorflow.sha256 \
  && cat tensorflow.sha256 \
  && test -s tensorflow.sha256 \
  && if [ -n "$TENSORFLOW_SHA256" ]; then echo "$TENSORFLOW_SHA256  tensorflow.sha256" > /tmp/expected && sha256sum -c /tmp/expected; fi

FROM ${CUDA_IMAGE} AS trainer-gpu
ARG CUDA_IMAGE
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="oddlink-gpu" \
  org.opencontainers.image.description="Streaming login alerting: the trainer, with TensorFlow.js for a GPU" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="${CUDA_IMAGE}"
COPY --from=tensorflow /usr/local/bin/node /usr/local/bin/node
COPY --from=tensorflow /opt/node_modules /opt/node_modules
COPY --from=tensorflow /opt/tensorflow.sha256 /opt/package-lock.json /opt/
COPY --from=build /opt/oddlink/node_modules /opt/oddlink/node_modules
COPY --from=build /opt/oddlink/package.json /opt/oddlink/LICENSE /opt/oddlink/sbom.cdx.json /opt/oddlink/
COPY --from=build /opt/oddlink/deploy/image/healthy.mjs /opt/oddlink/healthy.mjs
COPY --from=build /opt/oddlink/dist /opt/oddlink/dist
RUN install -d -o 65532 -g 65532 /var/lib/oddlink
# An image for a GPU that quietly trained on the CPU would be worse than one that a file of settings can't turn back.
ENV NODE_ENV=production HOME=/tmp ODDLINK_TRAINING_BACKEND=tfjs TF_FORCE_GPU_ALLOW_GROWTH=true TF_CPP_MIN_LOG_LEVEL=1
WORKDIR /var/lib/oddlink
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "/opt/oddlink/healthy.mjs"]
ENTRYPOINT ["node", "/opt/oddlink/dist/cli/main.js"]
CMD ["train", "--follow"]

# The last one is what is built if no target is named.
FROM ${NODE_IMAGE} AS worker
ARG NODE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="oddlink" \
  org.opencontainers.image.description="Streaming login alerting: scores every login against the graph of who logs in where" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="${NODE_IMAGE}"
# Package managers of the base image are no use here, and have dependencies of their own to keep up with.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
  && install -d -o 65532 -g 65532 /var/lib/oddlink
COPY --from=build /opt/oddlink/node_modules /opt/oddlink/node_modules
COPY --from=build /opt/oddlink/package.json /opt/oddlink/LICENSE /opt/oddlink/sbom.cdx.json /opt/oddlink/
COPY --from=build /opt/oddlink/deploy/image/healthy.mjs /opt/oddlink/healthy.mjs
COPY --from=build /opt/oddlink/dist /opt/oddlink/dist
ENV NODE_ENV=production HOME=/tmp
# The one folder that is written, for stores and checkpoints; with a read-only root a volume has to lie there.
WORKDIR /var/lib/oddlink
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "/opt/oddlink/healthy.mjs"]
# Node itself is process 1: it gets SIGTERM, commits, and leaves.
ENTRYPOINT ["node", "/opt/oddlink/dist/cli/main.js"]
CMD ["--help"]
