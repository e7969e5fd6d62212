-- Health of a TempestSchedule for Argo CD: Degraded if it is not valid or its runs fail, with what is wrong.
local health = { status = "Progressing", message = "not seen by an operator yet" }
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
local fails
for _, condition in ipairs(status.conditions) do
  if condition.type == "Ready" and condition.status == "False" then
    return { status = "Degraded", message = condition.message }
  end
  if condition.type == "Ready" and condition.status == "True" then
    health = { status = "Healthy", message = condition.message }
    if condition.reason == "Suspended" then
      health.status = "Suspended"
    end
  end
  if condition.type == "Healthy" and condition.status == "False" then
    fails = { status = "Degraded", message = condition.reason .. ": " .. condition.message }
  end
end
return fails or health
