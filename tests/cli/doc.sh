# glia doc: functions, operations, layers, optimizers, words, constants, commands.
for name in sin einsum softmax let layer pi f32 fmt test :grad time softmaxx lat fmtt E0111; do
  echo "--- $name"
  "$GLIA" doc $name >out 2>&1; echo "status $?"; head -n 4 out
done
